"""Network architectures, shared by the backends."""
