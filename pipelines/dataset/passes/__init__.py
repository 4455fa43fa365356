"""Passes on request, one file each: what `--passes` adds to the files of a frame."""
