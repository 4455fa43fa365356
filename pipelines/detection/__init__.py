"""How useful a set of frames is: a small detector is trained on it and tested on real frames."""
