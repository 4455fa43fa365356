"""Where Cycles renders visible twins: on a GPU, where it finds one, else on the processor."""

from __future__ import annotations

import contextlib

import bpy

from ...visible.settings import Device

__all__ = ["use_device"]

_BACKENDS = ("OPTIX", "CUDA", "HIP", "METAL", "ONEAPI")


def use_device(wanted: Device) -> str:
    """Turn on the GPUs of the first backend that has one; returns Cycles' name for the device, ``GPU`` or ``CPU``."""
    if wanted == "cpu" or "cycles" not in bpy.context.preferences.addons:
        return "CPU"
    preferences = bpy.context.preferences.addons["cycles"].preferences
    for backend in _BACKENDS:
        with contextlib.suppress(TypeError, ValueError):  # this build of Blender lacks the backend
            preferences.compute_device_type = backend
            preferences.get_devices()
            gpus = [device for device in preferences.devices if device.type == backend]
            for device in preferences.devices:
                device.use = device in gpus
            if gpus:
                return "GPU"
    return "CPU"
