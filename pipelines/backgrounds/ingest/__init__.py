"""Real thermal files in: radiometric frames with their degrees, display pictures marked as such."""
