"""Source tensors to infrared images: networks, backends, training, metrics and fast inference.

Never imports ``bpy`` or ``renderer``: it runs on a GPU machine that has no Blender.
"""
