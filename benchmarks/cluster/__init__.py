"""What the bookkeeping of many frames costs."""
