"""What the visible twin of an infrared picture needs beside geometry: light, looks of surfaces, exposure."""
