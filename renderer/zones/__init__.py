"""Thermal zones: their numbers, names and colours, and how parts of a model are told apart."""
