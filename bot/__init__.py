"""The one process: settings, wiring, HTTP, Telegram, the runner and the command line."""
