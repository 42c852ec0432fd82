"""Telegram: what comes in is stored and handled in order, what goes out is paced and never lost.

Nothing is imported here: aiogram takes seconds, and the webhook door (``bot.telegram.webhook``) works without it.
"""
