"""How near made cars are to real ones, and what puts them into real frames."""
