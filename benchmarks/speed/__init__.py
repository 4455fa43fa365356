"""What a frame costs, step by step, and against another commit."""
