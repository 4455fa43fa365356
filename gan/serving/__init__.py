"""Trained models at work: torch or OpenVINO, windows, post-processing."""
