"""The main street of a small town: houses wall to wall, arcades, shop fronts, parked rows, squares."""
