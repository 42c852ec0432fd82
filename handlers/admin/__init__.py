"""Entrance, help, state, failures, settings, people and bound chats."""
