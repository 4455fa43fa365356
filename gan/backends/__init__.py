"""Translation models, one file each, found by file name; see `gan.backends.base`."""
