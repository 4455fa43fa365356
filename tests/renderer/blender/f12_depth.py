"""Blender's own depth of frames: ``python f12_depth.py SCENE.blend OUT.npz FRAME ...`` (numbers of its own animation).

Planar depth in Blender units as its render has it, inf where nothing is hit. The process knows nothing of gis.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import bpy
import cycles
import numpy as np

_CYCLES_RENDER = cycles.CyclesRender.render
_NOWHERE = 1e9


def set_up(scene: Any) -> None:
    """One sample through the pixel's centre; of the layers that are rendered, the first is the picture's."""
    render, settings = scene.render, scene.cycles
    render.engine = "CYCLES"
    render.use_compositing = render.use_sequencer = render.use_motion_blur = False
    settings.device, settings.samples, settings.use_adaptive_sampling, settings.use_denoising = "CPU", 1, False, False
    settings.pixel_filter_type, settings.filter_width, settings.max_bounces = "GAUSSIAN", 0.01, 0
    for layer in scene.view_layers:
        layer.use_pass_z = True


def depth_of(scene: Any, frame: int) -> Any:
    found: list[Any] = []

    def render(self: Any, depsgraph: Any) -> None:
        _CYCLES_RENDER(self, depsgraph)
        result = self.get_result()
        depth = next(one for one in result.layers[0].passes if one.name.startswith("Depth"))
        values = np.zeros(len(depth.rect) * depth.channels, np.float32)
        depth.rect.foreach_get(values)
        found.append(values.reshape(result.resolution_y, result.resolution_x)[::-1])

    scene.frame_set(frame)
    cycles.CyclesRender.render = render
    bpy.ops.render.render(write_still=False)
    return np.where(found[-1] < _NOWHERE, found[-1], np.inf)


def main() -> None:
    bpy.ops.wm.open_mainfile(filepath=sys.argv[1], load_ui=False, use_scripts=False)
    scene = bpy.context.scene
    set_up(scene)
    np.savez(sys.argv[2], **{number: depth_of(scene, int(number)) for number in sys.argv[3:]})
    sys.stdout.flush()
    os._exit(0)  # bpy sometimes hangs at its end


if __name__ == "__main__":
    main()
