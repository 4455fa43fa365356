"""Looking at a set of any size in a browser: `gis view`."""
