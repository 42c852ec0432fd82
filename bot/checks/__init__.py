"""The doctor behind `svodka check`: sections of findings, each fault with a code of its own and a cure."""
