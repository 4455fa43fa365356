"""`gis compare`: several translation models, trained and measured alike.

========  ==================================================================
plan      what is compared, and how the command line says it
samples   the test sets, the grey copy, and where the objects are
worker    one model in a process of its own: budget, training, translation
run       one worker after the other; goes on where it was stopped
tables    results to rows of numbers
report    one HTML page and one JSON file
========  ==================================================================
"""

from __future__ import annotations

__all__: list[str] = []
