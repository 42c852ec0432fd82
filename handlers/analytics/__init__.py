"""Figures that explain themselves: one entry each, behind every command, button, file, picture and inline answer."""
