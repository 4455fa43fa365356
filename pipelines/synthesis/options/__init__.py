"""Options of the commands that make frames: declared, checked, completed, and written beside the output."""
