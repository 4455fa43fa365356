"""Car trailers as arrays: ``assets/trailers.npz``."""
