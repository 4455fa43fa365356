"""Turn a Blender scene into exact geometry passes, and thermal zones into physical temperatures.

``bpy`` is imported only below ``renderer.blender``; everything else is numpy and numba and runs anywhere.
Imports inside this package are relative, because the add-on ships it under another name.
"""
