"""Bizon365: webinars, their reports and viewers, registration pages."""
