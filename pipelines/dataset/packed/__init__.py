"""Data sets packed into WebDataset shards, with a Parquet index, in a folder or in an object store.

A shard holds so many frames, each complete. It is listed by the two Parquet files that are written after it, the one of
its frames last: what has no such file does not count. So nothing is ever changed in place, and the frames of a shard
can be read alone.
"""
