"""What visible twins are worth."""
