"""Several cameras that see the same: what `--rig` names, and a data set for each of them."""
