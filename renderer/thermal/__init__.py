"""Physical thermal infrared: temperatures, radiance, atmosphere and sensor. numpy and numba only."""
