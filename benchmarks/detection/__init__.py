"""Does a detector get better? See `python -m benchmarks.detection --help`."""
