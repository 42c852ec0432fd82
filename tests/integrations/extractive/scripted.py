"""The written calls of these tests as transcripts: attributed, without speakers, or as one block without any mark."""

import json
import re
import tomllib
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any

from domain.calls import CallContext, Quality, Segment, Speaker, Summary, Task, Transcript
from domain.events import Direction

HERE = Path(__file__).parent
HELD_AT = datetime(2026, 11, 17, 11, 0, tzinfo=timezone(timedelta(hours=3)))  # a Tuesday
SPEAKERS = {"op": Speaker.OPERATOR, "cl": Speaker.CLIENT, "sys": Speaker.UNKNOWN, "x": Speaker.UNKNOWN}
FORMS = ("attributed", "letters", "unattributed", "block")


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    name: str
    direction: Direction
    turns: tuple[tuple[str, str], ...]
    gold: dict[str, Any]

    @property
    def context(self) -> CallContext:
        return CallContext(held_at=HELD_AT, direction=self.direction)

    def transcript(self, form: str) -> Transcript:
        if form == "block":
            text = re.sub(r"[^\w\s]", "", " ".join(text for _, text in self.turns).lower())
            return transcript_of([Segment(start=0.0, end=60.0, text=text)], timed=False)
        segments, at = [], 0.0
        for who, text in self.turns:
            end = at + 0.4 * len(text.split())
            known = form == "attributed"
            letter = {"op": "A", "cl": "B"}.get(who, "") if form == "letters" else ""
            speaker = SPEAKERS[who] if known else Speaker.UNKNOWN
            segments.append(Segment(start=at, end=end, text=text, speaker=speaker, label=letter))
            at = end + 0.4
        return transcript_of(segments)


def transcript_of(segments: list[Segment], *, timed: bool = True) -> Transcript:
    end = segments[-1].end if segments else 0.0
    return Transcript(segments=tuple(segments), language="ru", model="test", timed=timed, duration_s=end, quality=Quality())


def said(
    *turns: str, direction: Direction = Direction.INCOMING, held_at: datetime = HELD_AT
) -> tuple[Transcript, CallContext]:
    """``said("op: …", "cl: …")``: an attributed transcript and its context."""
    rows = tuple((who, text) for who, _, text in (turn.partition(": ") for turn in turns))
    call = Written(name="", direction=direction, turns=rows, gold={})
    return call.transcript("attributed"), CallContext(held_at=held_at, direction=direction)


def calls_of(*files: str) -> list[Written]:
    return [_read(row) for name in files for row in _load(name)]


@cache
def written_calls() -> tuple[Written, ...]:
    return tuple(calls_of("own", "second", "fresh", "recorded"))


@cache
def machine_calls() -> tuple[tuple[str, Transcript], ...]:
    """What whisper-base heard in the recorded calls, beam 5 and beam 1: (name of the call, transcript)."""
    found = []
    for path in sorted((HERE / "transcripts").glob("*.json")):
        data = json.loads(path.read_text("utf-8"))
        found.append((data["call"], transcript_of([Segment(**row) for row in data["segments"]])))
    return tuple(found)


def call_named(name: str) -> Written:
    return next(call for call in written_calls() if call.name == name)


def _load(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = tomllib.loads((HERE / "calls" / f"{name}.toml").read_text("utf-8"))["call"]
    return rows


def _read(row: dict[str, Any]) -> Written:
    turns = tuple((who, text) for who, _, text in (line.partition(": ") for line in row["turns"].strip().splitlines()))
    return Written(name=row["name"], direction=Direction(row["direction"]), turns=turns, gold=row["gold"])


@dataclass(slots=True, kw_only=True)
class Score:
    """Counts over calls; a task is found when its words, its date and its time are all right."""

    wanted: int = 0
    found: int = 0
    made: int = 0
    right: int = 0
    faults: list[str]

    @property
    def recall(self) -> float:
        return self.found / self.wanted if self.wanted else 1.0

    @property
    def precision(self) -> float:
        return self.right / self.made if self.made else 1.0

    def add_tasks(self, name: str, gold: list[dict[str, Any]], summary: Summary) -> None:
        left = list(summary.tasks)
        for wanted in gold:
            match = next((task for task in left if fits(wanted, task)), None)
            if match:
                left.remove(match)
                self.found += 1
            else:
                self.faults.append(f"{name}: missing {wanted}")
        self.wanted += len(gold)
        self.made += len(summary.tasks)
        self.right += len(summary.tasks) - len(left)
        self.faults += [
            f"{name}: extra {task.what} | {task.who} | {task.when_text} | {task.due_date} {task.due_time}" for task in left
        ]


def fits(wanted: dict[str, Any], task: Task) -> bool:
    due = date.fromisoformat(wanted["due"]) if wanted.get("due") else None
    words = all(word in task.what for word in wanted["words"])
    time = task.due_time == wanted.get("time", task.due_time)
    return words and task.due_date == due and time and task.who == wanted.get("who", task.who)


def everything(summary: Summary) -> str:
    """All that a card would print, in lower case."""
    address = summary.address.text if summary.address else ""
    rows = [
        address,
        summary.text,
        summary.next_steps,
        *(point.text for point in summary.points),
        *(task.what for task in summary.tasks),
    ]
    return "\n".join(rows).lower()
