"""Plain Russian words as a question about calls: a small grammar with no model behind it, total over any text.

What is understood is taken out of the text piece by piece (the period, a phone, a kind, marked words and names); what is
left is looked for in names and in what was said.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from domain.calls import CallKind
from domain.people import phone_key
from handlers.calls.periods import Period, find_period
from storage.calls import folded
from storage.queries.calls import CallQuery, Slice

LONGEST_QUESTION = 200
MOST_WORDS = 6

_KINDS = (
    (r"жалоб\w*", CallKind.COMPLAINT),
    (r"заяв[ко]\w*|просьб\w*", CallKind.REQUEST),
    (r"продаж\w*", CallKind.SALE),
    (r"справ(?:ка|ки|ку|ок)|консультаци\w*", CallKind.INFO),
    (r"ошибл\w* номером|ошибочн\w*|не туда", CallKind.WRONG_NUMBER),
    (r"автоответчик\w*", CallKind.VOICEMAIL),
    (r"без речи|тишина", CallKind.NO_SPEECH),
)
_SLICES = (
    (r"пропущен\w*|неотвечен\w*|не ?отвечен\w*", Slice.MISSED),
    (r"входящ\w*", Slice.INCOMING),
    (r"исходящ\w*", Slice.OUTGOING),
    (r"коротк\w*", Slice.SHORT),
    (r"без записи", Slice.NO_RECORDING),
    (r"негативн\w*|недоволе?н\w*|недовольн\w*", Slice.NEGATIVE),
)
_TOPIC = re.compile(r"\b(?:звон(?:ок|ка|ки|ков|ку|ком|ками|ках)|разговор\w*|calls?)\b")
_NOISE = re.compile(
    r"\b(?:покажи(?:те)?|найди(?:те)?|найти|показать|дай(?:те)?|какие|какой|были|был|все|всё|мне|пожалуйста|список|"
    r"клиент[ауе]?|сотрудник[ауе]?|менеджер[ауе]?|телефона?|номер[ау]?|тел|с|со|по|за|в|во|на|от|от|у|и|где|есть|кто|звонил[аи]?)\b"
)
_NAME = re.compile(r"\b(?:сотрудник[ауе]?|менеджер[ауе]?|оператор[ауе]?|клиент[ауе]?|имя)\s+([^\W\d_][\w-]{1,39})")
_WORD = re.compile(r"\b(?:слов[оа]|про|фраз[ау]|говорили про|говорили о|упомина\w*)\s+(\w[\w-]{1,39})")
_PHRASE = re.compile(r"[«\"“„]([^«»\"“”„]{2,80})[»\"”“]")
_PHONE = re.compile(r"\+?[0-9][0-9 ().\-‑–]{5,}[0-9]")
_TAIL = re.compile(r"(?:…|\.\.\.|\*)?\b([0-9]{4,15})\b")
_LEFT = re.compile(r"[^\W_][\w-]+")
_ENDING = re.compile(r"(?:[ая]ми|[ое]го|[ое]му|[ыиое]м|[ая]х|[аеиоуыэюяйь]{1,2})$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question as it was understood. ``about_calls``: something in it (a word, a phone, a period) says it is about calls.

    ``words``, ``names`` and ``anywhere`` of the query are stems; ``shown`` is what a person reads back: the words as typed.
    """

    query: CallQuery
    period: Period | None
    about_calls: bool
    shown: tuple[str, ...]

    @property
    def everything(self) -> bool:
        """Nothing was asked in particular."""
        return self.query == CallQuery()


class _Rest:
    """The text that is not understood yet; ``take`` cuts out what a pattern matches."""

    def __init__(self, text: str) -> None:
        self.text = text

    def take(self, pattern: re.Pattern[str] | str) -> re.Match[str] | None:
        found = re.search(pattern, self.text)
        if found is not None:
            self.text = f"{self.text[: found.start()]} {self.text[found.end() :]}"
        return found

    def take_all(self, pattern: re.Pattern[str]) -> list[str]:
        """The first groups of every match, in order."""
        found: list[str] = []
        while (match := self.take(pattern)) is not None:
            found.append(match.group(1).strip())
        return found


def understand(text: str, *, now: datetime, zone: tzinfo) -> Asked:
    """What ``text`` asks for; "today" is the day of ``now`` in ``zone``. Never raises: a text without sense is a word."""
    rest = _Rest(folded(unicodedata.normalize("NFC", text)[:LONGEST_QUESTION]))
    phrases = rest.take_all(_PHRASE)
    period, rest.text = find_period(rest.text, now.astimezone(zone).date())
    phone = _take_phone(rest)
    slices, words = _take_slices(rest), rest.take_all(_WORD)
    kind = next((kind for pattern, kind in _KINDS if rest.take(rf"\b(?:{pattern})\b")), None)
    topic, names = rest.take(_TOPIC) is not None, rest.take_all(_NAME)
    tail = "" if phone else _take_tail(rest)
    left = _LEFT.findall(_NOISE.sub(" ", _TOPIC.sub(" ", rest.text)))[:MOST_WORDS]
    since, until = _bounds(period, zone)
    query = CallQuery(
        since=since,
        until=until,
        phone=phone,
        phone_tail=tail,
        words=(*phrases, *map(stem, words)),
        names=tuple(map(stem, names)),
        anywhere=tuple(map(stem, left)),
        kind=kind or "",
        slices=slices,
    )
    sure = bool(topic or period or phone or tail or kind or slices or names or words)
    return Asked(query=query, period=period, about_calls=sure, shown=(*phrases, *words, *names, *left))


def stem(word: str) -> str:
    """The word without its ending, so that «уборка» finds «уборку»; short words stay whole."""
    bare = _ENDING.sub("", word)
    return bare if len(word) >= 5 and len(bare) >= 3 else word


def _take_phone(rest: _Rest) -> str:
    for found in _PHONE.finditer(rest.text):
        key = phone_key(found.group())
        if key is not None:
            rest.text = f"{rest.text[: found.start()]} {rest.text[found.end() :]}"
            return key
    return ""


def _take_tail(rest: _Rest) -> str:
    found = rest.take(_TAIL)
    return found.group(1) if found else ""


def _take_slices(rest: _Rest) -> tuple[Slice, ...]:
    return tuple(part for pattern, part in _SLICES if rest.take(rf"\b(?:{pattern})\b"))


def _bounds(period: Period | None, zone: tzinfo) -> tuple[datetime | None, datetime | None]:
    """Local midnights as UTC: on the day the clock changes a day has 23 or 25 hours."""
    if period is None:
        return None, None
    return _midnight(period.first, zone), _midnight(period.last + timedelta(days=1), zone)


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)
