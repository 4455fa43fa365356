"""Whole scenes from a seed: residential streets, arterials and others, in the manner of :mod:`assets.build.city`."""
