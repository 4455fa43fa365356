"""What is in a set of labelled frames, made or real, in figures: for `gis stats` and `gis synthesize --like`."""
