"""What an error of the Bot API means for the message that met it."""

from dataclasses import dataclass
from enum import StrEnum

from aiogram.exceptions import (
    TelegramAPIError,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)

from bot.telegram.session import AnswerLost, GatewayFailed, NotDelivered, UnreadableAnswer


class Verdict(StrEnum):
    """What to do next."""

    DONE = "done"  # it is as we wanted it
    UNREADABLE = "unreadable"  # carried out, its number unknown
    UNCERTAIN = "uncertain"  # may have been carried out
    GATEWAY = "gateway"  # most likely not carried out
    LATER = "later"  # surely not carried out, this message may work later
    OFFLINE = "offline"  # surely not carried out, nothing works now
    TOKEN = "token"  # noqa: S105  # the bot itself is refused
    FLOOD = "flood"  # asked to wait
    MOVED = "moved"  # the group has another number
    GONE = "gone"  # the chat cannot be written to
    TOPIC_GONE = "topic_gone"
    MESSAGE_GONE = "message_gone"  # nothing to edit
    REPLY_GONE = "reply_gone"  # nothing to answer to
    REFUSED = "refused"  # this content will never be taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """``retry_after``: seconds, of FLOOD; ``chat_id``: the new number, of MOVED; ``message_id``: saved, of UNREADABLE."""

    verdict: Verdict
    detail: str
    retry_after: float = 0.0
    chat_id: int = 0
    message_id: int | None = None


_BAD_REQUESTS: tuple[tuple[Verdict, tuple[str, ...]], ...] = (
    (Verdict.DONE, ("message is not modified",)),
    (Verdict.TOPIC_GONE, ("message thread not found", "topic_deleted", "topic_closed", "topic_id_invalid")),
    (Verdict.MESSAGE_GONE, ("message to edit not found", "message can't be edited", "message_id_invalid")),
    (Verdict.REPLY_GONE, ("message to be replied not found", "replied message not found", "reply message not found")),
    (
        Verdict.GONE,
        (
            "chat not found",
            "chat_id_invalid",
            "peer_id_invalid",
            "user is deactivated",
            "user not found",
            "not enough rights",
            "have no rights",
            "need administrator rights",
            "chat_write_forbidden",
            "group chat was deactivated",
            "chat_restricted",
        ),
    ),
)


def classify(error: Exception) -> Failure:
    """The meaning of what a request raised. An error nobody foresaw counts as uncertain: the request may have left."""
    if isinstance(error, UnreadableAnswer):
        return Failure(verdict=Verdict.UNREADABLE, detail=str(error), message_id=error.message_id)
    if isinstance(error, TelegramRetryAfter):
        return Failure(verdict=Verdict.FLOOD, detail="429", retry_after=float(error.retry_after))
    if isinstance(error, TelegramMigrateToChat):
        return Failure(verdict=Verdict.MOVED, detail="migrated", chat_id=error.migrate_to_chat_id)
    if isinstance(error, TelegramAPIError):
        return Failure(verdict=_verdict(error), detail=error.message)
    return Failure(verdict=Verdict.UNCERTAIN, detail=type(error).__name__)


def _verdict(error: TelegramAPIError) -> Verdict:
    if isinstance(error, TelegramBadRequest):
        return _bad_request(error.message)
    if isinstance(error, TelegramNotFound) and "method not found" in error.message.lower():
        return Verdict.REFUSED  # an older server of somebody's own
    return next((verdict for kind, verdict in _TYPES if isinstance(error, kind)), Verdict.REFUSED)


def _bad_request(description: str) -> Verdict:
    lowered = description.lower()
    for verdict, phrases in _BAD_REQUESTS:
        if any(phrase in lowered for phrase in phrases):
            return verdict
    return Verdict.REFUSED


# Subclasses before their parents: the first that fits decides.
_TYPES: tuple[tuple[type[TelegramAPIError], Verdict], ...] = (
    (NotDelivered, Verdict.OFFLINE),
    (AnswerLost, Verdict.UNCERTAIN),
    (TelegramEntityTooLarge, Verdict.REFUSED),
    (TelegramUnauthorizedError, Verdict.TOKEN),
    (TelegramNotFound, Verdict.TOKEN),  # what the Bot API says to a token it never gave out
    (TelegramForbiddenError, Verdict.GONE),
    (GatewayFailed, Verdict.GATEWAY),
    (TelegramServerError, Verdict.LATER),
    (TelegramConflictError, Verdict.LATER),
)
