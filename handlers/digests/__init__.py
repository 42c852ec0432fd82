"""The daily picture of the company: what it says, when, and to whom."""
