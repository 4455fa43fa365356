"""Arrays made into meshes of the opened file, and the models that ship as arrays."""
