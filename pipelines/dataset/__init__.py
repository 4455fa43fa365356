"""A data set on disk: records, labels, shards, card, validation."""
