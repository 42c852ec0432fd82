"""The keyless demo: a local Telegram with a page, and what is played around it."""
