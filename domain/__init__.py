"""The shared words of Svodka: values, ports and errors, with no framework and no I/O."""
