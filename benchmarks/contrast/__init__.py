"""How objects stand out of their frames: made ones beside real ones."""
