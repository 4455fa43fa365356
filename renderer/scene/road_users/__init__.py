"""What shares the road with cars and people: two-wheelers with their riders."""
