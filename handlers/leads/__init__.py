"""Leads, what brought them and what that cost: tables sent to the bot, and what is typed in the chat."""
