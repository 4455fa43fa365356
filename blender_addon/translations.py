"""Translations of the panel's words, handed to Blender; a language is a dictionary more in :data:`WORDS`.

Blender looks labels, descriptions and reports up by itself; text made by the add-on goes through :func:`say`.
"""

from __future__ import annotations

import bpy

from .adapter import PACKAGE

__all__ = ["WORDS", "count_of", "register", "say", "unregister"]

WORDS: dict[str, dict[tuple[str, str], str]] = {
    "de_DE": {
        ("*", "Thermal Zones"): "Wärmezonen",
        ("*", "Guess Zones"): "Zonen erraten",
        ("*", "Cars, People and Cameras"): "Autos, Menschen und Kameras",
        ("*", "Passes and Thermal Image"): "Durchgänge und Wärmebild",
    },
}
"""Language, then (context, English) to that language."""


def say(text: str, **values: object) -> str:
    """The text in the user's language, with ``{name}`` filled in."""
    return str(bpy.app.translations.pgettext_iface(text)).format(**values)


_MANY = {"person": "people", "bus": "buses", "mesh": "meshes", "deer": "deer"}
"""Plurals that are not the word and an s."""


def count_of(number: int, thing: str) -> str:
    """A number of things in words: ``1 car``, ``2 cars``."""
    word = thing if number == 1 else _MANY.get(thing, f"{thing}s")
    return say(f"{{n}} {word}", n=number)


def register() -> None:
    """Hand the dictionary to Blender."""
    bpy.app.translations.register(PACKAGE, WORDS)


def unregister() -> None:
    """Take it back."""
    bpy.app.translations.unregister(PACKAGE)
