"""What the user sees: panels, settings, preferences, colours in the viewport with their legend, small pictures."""
