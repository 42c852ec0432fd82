"""The keyless demo: the real process and its pipelines among local stand-ins, on one page."""
