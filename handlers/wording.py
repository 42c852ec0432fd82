"""How figures, times and numbers are worded for the person who reads them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from domain.messages import Span, Style, Texts
from domain.people import shorten_contact, shorten_phone, show_phone
from domain.plural import counted, spaced

MICRO = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who reads, when and where: every screen is made for one. In groups (not ``private``) phones are shortened.

    ``vendors``: their names as people know them.
    """

    texts: Texts
    now: datetime
    zone: ZoneInfo
    private: bool = True
    vendors: Mapping[str, str] = field(default_factory=dict)

    def say(self, name: str, /, **values: object) -> str:
        return self.texts.get(name, **values)

    def one_of(self, family: str, name: str, /, **values: object) -> str:
        """The text ``family.name``, or ``family.other`` for a name nobody foresaw."""
        known = f"{family}.{name}"
        return self.say(known if known in self.texts.entries else f"{family}.other", **values)

    def count(self, number: int, noun: str) -> str:
        """«5 звонков»; ``noun`` is a name under [noun]."""
        one, few, many = self.say(f"noun.{noun}").split("|")
        return counted(number, one, few, many)

    def vendor(self, name: str) -> str:
        return self.vendors.get(name, name)

    def moment(self, at: datetime) -> str:
        """«сегодня 12:03», «вчера 12:03», «21.11 12:03», «21.11.2025 12:03» in the account's zone."""
        local = at.astimezone(self.zone)
        days = (self.today - local.date()).days
        time = f"{local:%H:%M}"
        if days in {0, 1}:
            return self.say("time.yesterday" if days else "time.today", time=time)
        return f"{local:%d.%m} {time}" if local.year == self.today.year else f"{local:%d.%m.%Y} {time}"

    def moment_span(self, at: datetime, style: Style = Style.TIME) -> Span:
        return Span(self.moment(at), style, at.isoformat() if style is Style.TIME else "")

    def clock(self, at: datetime) -> str:
        return f"{at.astimezone(self.zone):%H:%M:%S}"

    def day(self, at: datetime) -> str:
        return f"{at.astimezone(self.zone):%d.%m.%Y}"

    def ago(self, at: datetime | None) -> str:
        """«3 минуты назад»; «не было» for None."""
        if at is None:
            return self.say("time.never")
        seconds = int((self.now - at).total_seconds())
        for size, noun in ((86400, "day"), (3600, "hour"), (60, "minute")):
            if seconds >= size:
                return self.say("time.ago", amount=self.count(seconds // size, noun))
        return self.say("time.just_now")

    def phone(self, key: str, raw: str = "") -> str:
        """The whole number in private, shortened in a group; what is no number we know as it came, and shortened too."""
        if key:
            return show_phone(key) if self.private else shorten_phone(key)
        if not raw or raw == "hidden":
            return self.say("calls.hidden_number")
        return raw if self.private else shorten_contact(raw)

    def dollars(self, micro_usd: int) -> str:
        """«$1,25»; small sums keep the digits that matter: «$0,0034»."""
        digits = 2 if micro_usd >= MICRO // 10 or micro_usd == 0 else 4
        return f"${micro_usd / MICRO:.{digits}f}".replace(".", ",")

    def money(self, amount: int, currency: str) -> str:
        """Minor units: «40 000 ₽», «1 234,50 ₽»."""
        whole, rest = divmod(amount, 100)
        sign = self.say(f"currency.{currency}") if f"currency.{currency}" in self.texts.entries else currency
        return f"{spaced(whole)}{f',{rest:02}' if rest else ''}\u00a0{sign}"

    def took(self, milliseconds: float) -> str:
        if milliseconds < 1000:
            return self.say("time.milliseconds", number=f"{milliseconds:.0f}")
        return self.say("time.seconds", number=f"{milliseconds / 1000:.1f}".replace(".", ","))

    def period(self, first: date, last: date) -> str:
        """«7 ноября», «1–7 ноября», «30 октября – 7 ноября»; a whole month is «октябрь 2026»."""
        whole = first.day == 1 and (last.toordinal() - first.toordinal()) >= 27 and _is_month(first, last)
        if whole:
            return f"{self.say('time.months').split('|')[first.month - 1]} {first.year}"
        if first == last:
            return self._day_of(first)
        if (first.year, first.month) == (last.year, last.month):
            return f"{first.day}–{self._day_of(last)}"
        return f"{self._day_of(first)} – {self._day_of(last)}"

    def _day_of(self, day: date) -> str:
        named = f"{day.day} {self.say('time.months_of').split('|')[day.month - 1]}"
        return named if day.year == self.today.year else f"{named} {day.year}"

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()


def _is_month(first: date, last: date) -> bool:
    return (first.year, first.month) == (last.year, last.month) and (
        last.month != date.fromordinal(last.toordinal() + 1).month
    )


def shortened(text: str, limit: int) -> str:
    """At most ``limit`` characters, cut between words, with an ellipsis."""
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    kept = cut.rsplit(" ", 1)[0] if " " in cut[limit // 2 :] else cut
    return kept.rstrip(" ,.;:—-") + "…"


def stage_name(texts: Texts, status: str) -> str:
    """A stage as people call it; what a CRM has besides those keeps its own name, a number is one that nobody knows."""
    known = f"client.status.{status}"
    if known in texts.entries:
        return texts.get(known)
    return texts.get("stages.unknown", number=status) if _is_number(status) else status


def colleague_name(texts: Texts, name: str) -> str:
    """Who is responsible; a number is somebody whose name the CRM has not told."""
    return texts.get("stages.stranger", number=name) if _is_number(name) else name


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()
