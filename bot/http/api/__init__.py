"""The HTTP API for other programs: who may read, what is asked, and the company in JSON."""
