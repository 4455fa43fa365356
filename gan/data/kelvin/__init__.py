"""Training data with temperatures: vectors of them, and sets that hold them."""
