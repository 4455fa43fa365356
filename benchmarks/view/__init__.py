"""How fast `gis view` shows a set, and what its page takes: `python -m benchmarks.view`."""
