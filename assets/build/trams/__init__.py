"""Trams as arrays: ``assets/trams.npz``."""
