"""Operators."""

__all__ = ["register", "unregister"]


def register() -> None:
    """Register nothing yet."""


def unregister() -> None:
    """Unregister nothing yet."""
