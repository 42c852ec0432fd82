"""A file that was asked for is made in the background, survives a restart, and whoever asked sees how far it is."""

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from domain.events import ExportAsked
from domain.messages import Destination, File, Message
from domain.ports import Steps, Tx
from domain.work import WorkItem
from handlers.exports.apart import NotWrittenError, reason_of
from handlers.exports.catalogue import Export, columns_of, find_export
from handlers.exports.files import MOST_SENT, Format, Plan, Written
from handlers.exports.ground import Ground
from handlers.exports.making import FOLDER, SPARE_BYTES, count, days_of, has_room, pour, room_needed
from handlers.exports.screens import Wish, begun_screen, ended_screen, file_name, progress_screen, ready_screen
from handlers.exports.services import ExportServices
from handlers.wording import Reader
from storage.people import role_of
from storage.queries.attendees import Segment
from storage.queries.listings import Days

log = logging.getLogger(__name__)

LAST_TRY = 5  # failures after which it is said that there will be no file, just before the work would be given up
TOLD_EVERY = 3.0  # seconds; Telegram counts an edit as a message
PART_WEIGHT = 90_000_000  # characters with their markup: packed, a book of them is about 30 MB


class StoppedError(Exception):
    """«Остановить» was pressed."""


async def make_export(item: WorkItem[ExportAsked], steps: Steps, services: ExportServices) -> None:
    """Making the file is no step: after a crash it is made anew, under the same name. Telling of it is one.

    Whoever asked may have been shut out meanwhile, or run the bot no more: then no file leaves.
    """
    export = find_export(item.event.what)
    if export is None:  # of an older version that had such a list
        return
    making = _Making(item=item, export=export, services=services)
    try:
        end = await making.run()
    except Exception as error:
        if item.failures < LAST_TRY:  # it is tried again, and the work waits as it is told to
            raise
        log.exception("export %s is given up", export.name)
        end = ended_screen(making.reader, making.wish, "export.failed", reason=making.reason(error))
    finally:
        services.stopped.discard(item.event.external_id)
    place = _place(item.event)

    async def tell(tx: Tx) -> bool:
        role = await role_of(tx, item.account_id, _asker(item.event))
        may = role is not None and (export.allowed(role) or bool(item.event.webinar_id))
        told = end if may else ended_screen(making.reader, making.wish, "export.not_yours")
        if role is not None:
            await services.chat.post_to(tx, item.account_id, place, told)
        return may

    if not await steps.write("tell", tell, bool):
        log.warning("export %s: who asked may not have it any more", export.name)
        await asyncio.to_thread(_remove, services.data_dir, end.files)
    services.posted()


def _asker(event: ExportAsked) -> int:
    """users.id, as an asking begins with it."""
    number = event.external_id.partition(":")[0]
    return int(number) if number.isdecimal() else 0


def _remove(data_dir: Path, files: Sequence[File]) -> None:
    """Blocks."""
    for file in files:
        (data_dir / file.path).unlink(missing_ok=True)


def _place(event: ExportAsked) -> Destination:
    return Destination(chat_id=event.chat_id, topic_id=event.topic_id)


@dataclass(slots=True, kw_only=True)
class _Making:
    """One file on its way.

    ``days``: those it is of, once they are known. ``told_at``: when people last saw how far it is, monotonic seconds;
    ``long``: they did.
    """

    item: WorkItem[ExportAsked]
    export: Export
    services: ExportServices
    days: Days | None = None
    told_at: float = 0.0
    long: bool = False

    async def run(self) -> Message:
        """What is said in the end."""
        try:
            if self.services.turn.locked():
                await self._show(begun_screen(self.reader, self.wish, waits=True))
            async with self.services.turn:
                return await self._made()
        except StoppedError:
            return ended_screen(self.reader, self.wish, "export.stopped")
        except NotWrittenError as error:
            log.warning("export %s: %s", self.export.name, error)
            return ended_screen(self.reader, self.wish, "export.failed", reason=self.reason(error))

    async def _made(self) -> Message:
        self._heed()
        self.told_at = self.services.clock.monotonic()
        ground = Ground(
            database=self.services.database, account_id=self.item.account_id, reader=self.reader,
            short_s=self.services.short_s, short_fixed=self.services.short_fixed, attended_s=self.services.attended_s,
        )  # fmt: skip
        self.days = await days_of(self.export, ground, self.wish.days)
        total = await count(self.export, ground, self.wish.days)
        if total == 0:
            return ended_screen(self.reader, self.wish, "export.empty")
        folder, needed = self.services.data_dir / FOLDER, room_needed(self.export, self.wish.format, total or 0)
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        if not await asyncio.to_thread(has_room, folder, needed):
            return ended_screen(self.reader, self.wish, "export.no_room", size=(needed + SPARE_BYTES) // 1024**2)
        writer = await self.services.begin(self._plan(folder))
        written = await pour(self.export, ground, self.wish.days, writer, total=total, told=self._tell)
        log.info(
            "export %s: %d rows, %d files, asking %s",
            self.export.name, written.rows, len(written.paths), self.item.event.external_id,
        )  # fmt: skip
        return await asyncio.to_thread(self._ending, written)

    def _plan(self, folder: Path) -> Plan:
        """A name nobody can guess, the same after a restart."""
        name = hashlib.sha256(f"export:{self.item.id}:{self.item.event.external_id}".encode()).hexdigest()[:24]
        path = folder / f"{self.item.heard_at:%Y-%m-%d}" / f"{name}.{self.wish.format}"
        columns = columns_of(self.export, self.services.texts)
        return Plan(
            path=path, room=folder, format=self.wish.format, columns=columns, zone=self.services.timezone, weight=PART_WEIGHT
        )  # fmt: skip

    def _ending(self, written: Written) -> Message:
        """The files, where there are rows and each can be sent; a stop that came while they were packed holds."""
        sizes = [path.stat().st_size for path in written.paths]
        stopped = self.item.event.external_id in self.services.stopped
        if not stopped and written.rows and max(sizes) <= MOST_SENT:
            return ready_screen(self.reader, self.wish, written, self._files(written))
        for path in written.paths:
            path.unlink()
        if stopped:
            raise StoppedError
        return ended_screen(self.reader, self.wish, "export.too_large" if written.rows else "export.empty")

    def _files(self, written: Written) -> list[File]:
        files = []
        for number, path in enumerate(written.paths, 1):
            ending = path.name.partition(".")[2]
            name = file_name(self.reader, self.wish, ending, number=number, count=len(written.paths))
            files.append(File(path=path.relative_to(self.services.data_dir).as_posix(), name=name))
        return files

    async def _tell(self, done: int, total: int | None) -> None:
        """How far it is, now and then, in the message that the result takes the place of."""
        self._heed()
        now = self.services.clock.monotonic()
        if now - self.told_at >= TOLD_EVERY or (self.long and done == total):
            self.told_at, self.long = now, True
            await self._show(progress_screen(self.reader, self.wish, done, total))

    def _heed(self) -> None:
        if self.item.event.external_id in self.services.stopped:
            raise StoppedError

    async def _show(self, message: Message) -> None:
        place = _place(self.item.event)
        await self.services.write(lambda tx: self.services.chat.post_to(tx, self.item.account_id, place, message))
        self.services.posted()

    def reason(self, error: Exception) -> str:
        return self.services.texts.get(f"export.reason.{reason_of(error)}")

    @property
    def wish(self) -> Wish:
        event = self.item.event
        days = Days(
            zone=self.services.timezone, first=event.first, last=event.last, webinar_id=event.webinar_id,
            segment=Segment(event.segment or Segment.ALL),
        )  # fmt: skip
        return Wish(
            export=self.export, days=self.days or days, format=Format(event.format), id=event.external_id, about=event.about
        )  # fmt: skip

    @property
    def reader(self) -> Reader:
        return Reader(texts=self.services.texts, now=self.services.clock.now(), zone=self.services.timezone)
