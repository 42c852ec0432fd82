"""Files of the local Telegram: what a bot or a person sent, kept in memory under a file_id."""

import secrets
from dataclasses import dataclass

from sandbox.telegram.params import Params, Upload
from sandbox.telegram.wire import Json, bad_request

DOWNLOAD_LIMIT = 20 * 1024 * 1024
PHOTO_LIMIT = 10 * 1024 * 1024
_TYPES = {
    "mp3": "audio/mpeg",
    "wav": "audio/x-wav",
    "ogg": "audio/ogg",
    "oga": "audio/ogg",
    "m4a": "audio/mp4",
    "txt": "text/plain",
    "csv": "text/csv",
    "pdf": "application/pdf",
    "json": "application/json",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
}
_FOLDERS = {"document": "documents", "audio": "music", "voice": "voice", "photo": "photos"}


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """``kind`` is document, audio, voice or photo; ``duration`` in seconds, 0 when not said."""

    file_id: str
    kind: str
    name: str
    content_type: str
    data: bytes
    duration: int = 0
    title: str = ""
    performer: str = ""

    @property
    def path(self) -> str:
        """file_path of getFile."""
        ending = self.name.rsplit(".", 1)[-1] if "." in self.name else "bin"
        safe = ending if ending.isascii() and ending.isalnum() else "bin"
        return f"{_FOLDERS[self.kind]}/{self.file_id}.{safe}"

    def as_json(self) -> Json:
        """PhotoSize, Audio, Voice or Document."""
        body: Json = {"file_id": self.file_id, "file_unique_id": self.file_id[-12:], "file_size": len(self.data)}
        if self.kind == "photo":
            return {**body, "width": 800, "height": 600}
        body["mime_type"] = self.content_type
        if self.kind != "voice":
            body["file_name"] = self.name
        if self.kind in ("audio", "voice"):
            body["duration"] = self.duration
        if self.kind == "audio":
            body.update({key: value for key, value in (("title", self.title), ("performer", self.performer)) if value})
        return body


def _type_of(upload: Upload) -> str:
    """The type by the name's ending, as Telegram sees it; the sender's word where the ending says nothing."""
    return _TYPES.get(upload.name.rsplit(".", 1)[-1].lower(), upload.content_type)


class Shelf:
    """Every file by its id."""

    def __init__(self) -> None:
        self._files: dict[str, StoredFile] = {}

    def get(self, file_id: str) -> StoredFile | None:
        return self._files.get(file_id)

    def by_path(self, path: str) -> StoredFile | None:
        return next((file for file in self._files.values() if file.path == path), None)

    def keep(self, kind: str, upload: Upload, *, duration: int = 0, title: str = "", performer: str = "") -> StoredFile:
        """Put a new file away. Refusal 400 when it is empty or, for a photo, over 10 MB."""
        if not upload.data:
            raise bad_request("file must be non-empty")
        if kind == "photo" and len(upload.data) > PHOTO_LIMIT:
            raise bad_request("file is too big")
        file = StoredFile(
            file_id=f"local-{kind}-{secrets.token_hex(12)}",
            kind=kind,
            name=upload.name,
            content_type=_type_of(upload),
            data=upload.data,
            duration=duration,
            title=title,
            performer=performer,
        )
        self._files[file.file_id] = file
        return file

    def take(self, kind: str, params: Params) -> StoredFile:
        """The file of a send call: an upload under the kind's name, attach://, or a known file_id. Refusal 400."""
        given = params.text(kind)
        upload = params.files.get(kind) or params.files.get(given.removeprefix("attach://"))
        if upload is not None:
            return self.keep(
                kind,
                upload,
                duration=params.bounded("duration", 0, 0, 86_400),
                title=params.text("title"),
                performer=params.text("performer"),
            )
        if not given:
            raise bad_request(f"there is no {kind} in the request")
        known = self.get(given)
        if known is None:
            raise bad_request("wrong file identifier/HTTP URL specified")
        if known.kind != kind:
            raise bad_request(f"can't use file of type {known.kind.capitalize()} as {kind.capitalize()}")
        return known
