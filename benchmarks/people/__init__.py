"""What people cost, and how near they come to real ones."""
