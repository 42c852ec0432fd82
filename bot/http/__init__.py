"""The embedded HTTP server. It never imports aiogram: the process listens before that is loaded."""
