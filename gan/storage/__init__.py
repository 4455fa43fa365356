"""Model files and training checkpoints, over one file format: safetensors, verified when read."""
