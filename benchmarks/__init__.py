"""Measurements of Svodka against floors of the same run: `python -m benchmarks`, or `make bench`."""
