"""Processes under load: the floors, and the parts of Svodka that are measured alone. Each prints its port when ready."""
