"""Model files and training checkpoints: safetensors, verified when read."""
