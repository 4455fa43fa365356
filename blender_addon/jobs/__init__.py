"""What runs beside Blender: the view's rendering in another Blender, and the commands of ``gis``."""
