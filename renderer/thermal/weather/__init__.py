"""Weather as thermal infrared sees it: fog, rain, snow, dew and frost.

docs/how-to/weather.md says what comes from where.
"""
