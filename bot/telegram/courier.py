"""Carries one post to Telegram: which method it takes, with what."""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from pathlib import Path
from typing import Protocol

from aiogram import Bot
from aiogram.types import (
    FSInputFile,
    InputMediaAudio,
    InputMediaDocument,
    InputMediaPhoto,
    LinkPreviewOptions,
    ReplyParameters,
)
from aiogram.types import Message as TelegramMessage

from bot.telegram.render import render, render_caption
from domain.files import kept_file
from domain.messages import File
from storage.outbox import ClaimedPost

TEXT_SECONDS = 30
FILE_SECONDS = 180
MIB = 1024 * 1024
DOCUMENT_LIMIT = 50 * MIB
PHOTO_LIMIT = 10 * MIB
_MEDIA = {"document": InputMediaDocument, "audio": InputMediaAudio, "photo": InputMediaPhoto}

in_sender: ContextVar[bool] = ContextVar("in_sender", default=False)  # such a request has had its turn already


class Undeliverable(Exception):
    """Nothing was sent and nothing ever will be; the text says why."""


class Courier(Protocol):
    """The sender's way out."""

    async def deliver(self, post: ClaimedPost) -> int | None:
        """Send or edit; the message's id. Raises Undeliverable, or whatever ``failures.classify`` understands."""
        ...


class BotCourier:
    """The real one. Files are read from ``data_dir`` only."""

    def __init__(self, bot: Bot, data_dir: Path) -> None:
        self._bot = bot
        self._data_dir = data_dir.resolve()

    async def deliver(self, post: ClaimedPost) -> int | None:
        token = in_sender.set(True)
        try:
            return await self._carry(post)
        finally:
            in_sender.reset(token)

    async def _carry(self, post: ClaimedPost) -> int:
        if post.message.files and not post.message.sections:
            return await self._file(post, post.message.files[0])
        if post.message_id is not None:
            return await self._edit(post, post.message_id)
        return await self._text(post)

    async def _text(self, post: ClaimedPost) -> int:
        rendered = render(post.message, repeated=post.repeats > 0, plain=post.plain)
        sent = await self._bot.send_message(
            post.chat_id,
            rendered.text,
            message_thread_id=post.topic_id,
            entities=rendered.entities or None,
            parse_mode=None,
            reply_markup=rendered.keyboard,
            reply_parameters=_reply(post),
            disable_notification=post.silent or None,
            link_preview_options=LinkPreviewOptions(is_disabled=True),
            request_timeout=TEXT_SECONDS,
        )
        return sent.message_id

    async def _edit(self, post: ClaimedPost, message_id: int) -> int:
        rendered = render(post.message, repeated=post.repeats > 0, plain=post.plain)
        await self._bot.edit_message_text(
            rendered.text,
            chat_id=post.chat_id,
            message_id=message_id,
            entities=rendered.entities or None,
            parse_mode=None,
            reply_markup=rendered.keyboard,
            link_preview_options=LinkPreviewOptions(is_disabled=True),
            request_timeout=TEXT_SECONDS,
        )
        return message_id

    async def _file(self, post: ClaimedPost, file: File) -> int:
        upload = self._open(file)
        caption = render_caption(file.caption, repeated=post.repeats > 0) or None
        if post.message_id is not None:
            media = _MEDIA[file.kind](media=upload, caption=caption, parse_mode=None)
            await self._bot.edit_message_media(
                media, chat_id=post.chat_id, message_id=post.message_id, request_timeout=FILE_SECONDS
            )
            return post.message_id
        return (await self._send_file(post, file, upload, caption)).message_id

    async def _send_file(self, post: ClaimedPost, file: File, upload: FSInputFile, caption: str | None) -> TelegramMessage:
        send: dict[str, Callable[..., Awaitable[TelegramMessage]]] = {
            "document": self._bot.send_document,
            "audio": self._bot.send_audio,
            "photo": self._bot.send_photo,
        }
        return await send[file.kind](
            post.chat_id,
            upload,
            message_thread_id=post.topic_id,
            caption=caption,
            parse_mode=None,
            reply_parameters=_reply(post),
            disable_notification=post.silent or None,
            request_timeout=FILE_SECONDS,
        )

    def _open(self, file: File) -> FSInputFile:
        path = kept_file(self._data_dir, file.path)
        if path is None or not path.is_file():
            raise Undeliverable("file: нет файла, возможно, вышел срок хранения")
        limit = PHOTO_LIMIT if file.kind == "photo" else DOCUMENT_LIMIT
        if not 0 < path.stat().st_size <= limit:
            raise Undeliverable(f"file: Telegram принимает такие файлы до {limit // MIB} МБ и не пустые")
        return FSInputFile(path, filename=file.name)


def _reply(post: ClaimedPost) -> ReplyParameters | None:
    if post.reply_to_message_id is None:
        return None
    return ReplyParameters(message_id=post.reply_to_message_id, allow_sending_without_reply=True)
