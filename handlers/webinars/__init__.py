"""Webinars: what happens when one ends or somebody registers, and what people ask about them."""
