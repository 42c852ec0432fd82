"""What every handler of the chat does the same way."""
