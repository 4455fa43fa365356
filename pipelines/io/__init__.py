"""Files and image formats: written whole or not at all, checked when read."""
