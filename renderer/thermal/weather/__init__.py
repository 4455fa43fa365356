"""Weather as thermal infrared sees it: fog, rain, snow, dew and frost. docs/weather.md says what comes from where."""
