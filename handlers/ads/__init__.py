"""Directions and creatives by rule: what the marks of leads mean, as the team decides it."""
