"""Pixels in step, several in one vector of the processor: :mod:`.in_step` is what kernels call."""
