"""One run of the call pipeline: what is worked on, with what, under which names."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from domain.calls import Recording
from domain.events import CallEnded
from domain.files import kept_file
from domain.ports import Steps
from domain.work import WorkItem
from handlers.calls.services import CallServices
from storage.calls import CallKey, StoredCall


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRun:
    item: WorkItem[CallEnded]
    steps: Steps
    services: CallServices
    row_id: int = 0  # of the table of calls, once registered
    known: StoredCall | None = None  # what earlier runs left, read when the recording is here: nobody else writes it

    @property
    def call_id(self) -> str:
        return self.item.event.external_id

    @property
    def key(self) -> CallKey:
        return CallKey(account_id=self.item.account_id, vendor=self.item.event.vendor, call_id=self.call_id)

    @property
    def marker(self) -> str:
        """What our comment about this call carries, so that it is found instead of added again."""
        return "svodka-" + hashlib.sha256(f"{self.key.vendor}:{self.call_id}".encode()).hexdigest()[:12]

    @property
    def post_key(self) -> str:
        return f"call:{self.key.vendor}:{self.call_id}"

    def recording_path(self) -> Path:
        """Where the recording goes: one folder a day, a name that says nothing about anybody."""
        day = self.item.heard_at.strftime("%Y-%m-%d")
        name = hashlib.sha256(f"{self.key.account_id}:{self.post_key}:{self.item.generation}".encode()).hexdigest()[:24]
        return self.services.data_dir / "recordings" / day / name

    def kept(self, recording: Recording) -> Path:
        """Where the recording is. ValueError for a path that a restored database names and we never wrote."""
        path = kept_file(self.services.data_dir, recording.path)
        if path is None:
            raise ValueError("the recording's path leads out of its folder")
        return path
