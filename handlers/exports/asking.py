"""Plain words as a wish for a file: what, of which days, and for which program."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date

from handlers.analytics.ask import MOST_DAYS
from handlers.analytics.catalogue import last_days
from handlers.calls.periods import Period, find_period
from handlers.exports.files import Format
from storage.calls import folded

LONGEST = 200
_BY = {
    "creatives": r"(?:по\s+)?(?:креатив\w*|объявлени\w*)", "sources": r"(?:по\s+)?(?:источник\w*|площадк\w*)",
    "partners": r"(?:по\s+)?партн[её]р\w*", "directions": r"(?:по\s+)?направлени\w*",
}  # fmt: skip
_CONVERSIONS = re.compile(r"\bконверси\w*")
_WHAT = (
    ("no_shows", r"не\s+приш\w+(?:\s+на\s+вебинар\w*)?|неяв\w+"),
    ("registrations", r"регистраци\w*(?:\s+на\s+вебинар\w*)?|запис\w+\s+на\s+вебинар\w*"),
    ("attendees", r"зрител\w*(?:\s+вебинар\w*)?|посещени\w*|участник\w*(?:\s+вебинар\w*)?"),
    ("calls", r"звон\w+|разговор\w*"),
    ("leads", r"лид\w*|заявк\w*|заявок"),
    ("clients", r"клиент\w*|люд\w+"),
    ("spend", r"расход\w*|затрат\w*"),
    ("company", r"показател\w+(?:\s+компани\w+)?|цифр\w*(?:\s+компани\w+)?"),
    ("statistics", r"статистик\w*|компани\w+"),
    ("houses", r"дом\w*"),
    ("employees", r"сотрудник\w*|персонал\w*"),
    ("departments", r"отдел\w*|подразделени\w*|бригад\w*"),
    ("tasks", r"задач\w*"),
    ("webinars", r"вебинар\w*"),
    ("top", r"креатив\w*"),
    *_BY.items(),
)
_FORMATS = ((Format.XLSX, r"(?:в\s+)?(?:excel\w*|эксел\w+|ексел\w+|xlsx?)"), (Format.CSV, r"(?:в\s+)?(?:csv|цсв)"))
_EVER = re.compile(r"\b(?:за\s+)?все(?:го)?\s+врем\w+\b|\bвсе\b")
_ASKS = re.compile(r"^\s*(?:выгруз\w*|выгруж\w*|скача\w*|экспорт\w*|export)\b")
_FILLING = re.compile(r"\b(?:мне|пожалуйста|файл\w*|таблиц\w*|список|спис\w+|за|в|по|с|на|и|из|период\w*)\b|[^\w\s.]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """``what`` "": nothing that can be exported was named; ``left``: words that say nothing to us.

    ``period`` None: none was named; ``ever``: all there is was asked for.
    """

    what: str = ""
    period: Period | None = None
    format: Format | None = None
    ever: bool = False
    left: str = ""

    @property
    def turned(self) -> bool:
        """The last of the days was named before the first: whoever asks is told which days are taken."""
        return self.period is not None and self.period.turned


def asks(text: str) -> bool:
    """«выгрузи звонки за ноябрь»: plain words that ask for a file."""
    return _ASKS.match(_tidy(text)) is not None


def understand(text: str, today: date, names: tuple[str, ...]) -> Asked:
    """What is asked for. ``names``: what an export may be called besides its Russian name."""
    words = _ASKS.sub(" ", _tidy(text))
    format_, words = _format(words)
    what, words = _what(words, names)
    ever = _EVER.search(words) is not None
    words = _EVER.sub(" ", words)
    period, rest = find_period(words, today)
    if period is None:
        period, rest = find_period(f"за {words.strip()}", today)  # behind a command a month stands alone
    left = " ".join(_FILLING.sub(" ", rest).split())
    if period is None and re.fullmatch(r"\d{1,4}", left) and 1 <= int(left) <= MOST_DAYS:
        period, left = last_days(int(left), today), ""  # a number alone is days, as on the buttons
    return Asked(what=what, period=period, format=format_, ever=ever, left=left)


def _tidy(text: str) -> str:
    return folded(unicodedata.normalize("NFC", text)[:LONGEST])


def _format(words: str) -> tuple[Format | None, str]:
    for format_, pattern in _FORMATS:
        if re.search(rf"\b{pattern}\b", words):
            return format_, re.sub(rf"\b{pattern}\b", " ", words)
    return None, words


def _what(words: str, names: tuple[str, ...]) -> tuple[str, str]:
    """What is meant, and the words without it."""
    for name in names:
        if re.search(rf"\b{name}\b", words):
            return name, re.sub(rf"\b{name}\b", " ", words)
    if _CONVERSIONS.search(words):
        rest = _CONVERSIONS.sub(" ", words)
        by = next((name for name, pattern in _BY.items() if re.search(rf"\b{pattern}\b", rest)), "directions")
        return by, re.sub(rf"\b{_BY[by]}\b", " ", rest)
    for name, pattern in _WHAT:
        if re.search(rf"\b(?:{pattern})\b", words):
            return name, re.sub(rf"\b(?:{pattern})\b", " ", words)
    return "", words
