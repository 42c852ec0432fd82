"""Keys of the HTTP API in the chat: made, replaced, revoked, shown once."""
