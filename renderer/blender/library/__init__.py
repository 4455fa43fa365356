"""Models that ship as arrays, made into meshes of the opened file."""
