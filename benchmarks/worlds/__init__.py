"""What generated streets cost beside the city, and which cars are seen in them: ``python -m benchmarks.worlds``."""
