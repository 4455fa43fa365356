"""The shipped street, `assets/city.blend`, part by part: ``python -m assets.build.city``."""
