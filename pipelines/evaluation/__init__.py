"""How near images come to real ones, measured."""
