"""Training data: found, decoded, split, augmented, and handed out as batches."""
