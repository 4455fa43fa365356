"""Loss terms, and what they judge with."""
