"""What the installation holds: the doctor, and the add-on as a zip."""
