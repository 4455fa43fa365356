"""Sets like others: their figures to options, the texts of these, noise and contrast of pictures."""
