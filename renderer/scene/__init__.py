"""What a frame shows: traffic in a street, and objects placed on a plane."""
