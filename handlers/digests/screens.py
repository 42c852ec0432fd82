"""Schedules of digests as people see and change them. Pure functions."""

from collections.abc import Iterable, Iterator, Sequence

from domain.digests import DigestKind, DigestPart
from domain.messages import Button, Destination, Message, Section, bold, bullet, plain
from domain.schedules import EVERY_DAY, WORKDAYS, Schedule
from handlers.calls.screens import ANSWER, action, question
from handlers.digests.buttons import bits_of
from handlers.digests.typed import zone_title
from handlers.digests.words import Places, names_of_days, standing_of, what_of, when_of, where_to
from handlers.wording import Reader, shortened
from storage.destinations import BoundChat

TITLE_LIMIT = 32
PRESET_HOURS = (8, 9, 10, 18)
USUAL_ZONES = (
    "Europe/Kaliningrad", "Europe/Moscow", "Europe/Samara", "Asia/Yekaterinburg", "Asia/Novosibirsk", "Asia/Vladivostok",
)  # fmt: skip
_DAY_MINUTES = 24 * 60
Rows = tuple[tuple[Button, ...], ...]


def list_screen(reader: Reader, schedules: Sequence[Schedule], places: Places, *, webinars: bool) -> Message:
    """All there are, each with its next time; below them what can be had in one tap."""
    lines = [plain(reader.say("digest.intro"))]
    lines += [bullet(_line(reader, one, places)) for one in schedules] or [plain(reader.say("digest.none"))]
    rows = [(action(shortened(_name(reader, one, places), TITLE_LIMIT * 2), f"dg:{one.id}"),) for one in schedules]
    offers = offer_rows(reader, schedules, places.here, webinars=webinars)
    hint = Section(lines=(plain(reader.say("digest.add_hint" if reader.private else "digest.add_hint_group")),))
    section = Section(title=bold(reader.say("digest.title")), lines=tuple(lines))
    return Message(key=ANSWER, sections=(section, hint), buttons=(*rows, *offers))


def offer_rows(reader: Reader, schedules: Sequence[Schedule], here: Destination | None, *, webinars: bool) -> Rows:
    """What this chat does not get yet, in one tap each."""
    had = {one.kind for one in schedules if one.destination == here}
    offers = {DigestKind.DAILY: "workdays", DigestKind.WEEKLY: "weekly", DigestKind.WEBINAR: "webinar"}
    return tuple(
        (action(reader.say(f"digest.button.{name}"), f"dgnew:{kind}"),)
        for kind, name in offers.items()
        if kind not in had and (webinars or kind is not DigestKind.WEBINAR)
    )


def schedule_screen(reader: Reader, one: Schedule, places: Places, *, word: str = "") -> Message:
    """One schedule with all that can be changed of it. ``word``: what has just been done."""
    title = bold(reader.say(f"digest.kind.{one.kind}"))
    told = tuple(bullet(line) for line in _about(reader, one, places))
    head = Section(lines=(plain(word),)) if word else None
    sections = (*([head] if head else []), Section(title=title, lines=told))
    return Message(key=ANSWER, sections=sections, buttons=_controls(reader, one))


def made_screen(reader: Reader, one: Schedule, places: Places, *, known: bool) -> Message:
    """What was understood of a schedule that was set in a word or a tap, and the way to change it."""
    where = where_to(reader, one.destination, places)
    if not one.picture:
        where = reader.say("digest.without_picture", where=where)
    values = {"what": what_of(reader, one), "when": when_of(reader, one), "where": where}
    lines = [plain(reader.say("digest.known" if known else "digest.made", **values))]
    lines.append(plain(standing_of(reader, one, texts="digest.row")))
    row = (
        action(reader.say("digest.button.change"), f"dg:{one.id}"),
        action(reader.say("digest.button.delete"), f"dgdel:{one.id}"),
    )
    return Message(key=ANSWER, sections=(Section(lines=tuple(lines)),), buttons=(row,))


def days_screen(reader: Reader, one: Schedule) -> Message:
    """Weekly ones come on one day; else each is a switch. Buttons carry what will be: pressed twice it is the same."""
    weekly = one.kind is DigestKind.WEEKLY
    names = names_of_days(reader)

    def button(day: int) -> Button:
        on = day in one.days
        wanted = frozenset({day}) if weekly else one.days ^ {day}
        return action(reader.say("switch.on" if on else "switch.off", title=names[day]), f"dgd:{one.id}:{_bits(wanted)}")

    rows: list[tuple[Button, ...]] = [tuple(map(button, range(4))), tuple(map(button, range(4, 7)))]
    if not weekly:
        presets = (("digest.button.all_workdays", WORKDAYS), ("digest.button.all_days", EVERY_DAY))
        rows.append(tuple(action(reader.say(name), f"dgd:{one.id}:{_bits(days)}") for name, days in presets))
    return _asked(reader, one, "digest.ask_week" if weekly else "digest.ask_days", tuple(rows))


def time_screen(reader: Reader, one: Schedule, *, word: str = "") -> Message:
    minutes = one.at.hour * 60 + one.at.minute

    def step(name: str, by: int) -> Button:
        return action(reader.say(f"digest.button.{name}"), f"dgt:{one.id}:{(minutes + by) % _DAY_MINUTES}")

    presets = tuple(action(f"{hour}:00", f"dgt:{one.id}:{hour * 60}") for hour in PRESET_HOURS)
    rows = (
        (step("hour_less", -60), step("hour_more", 60)),
        (step("minutes_less", -5), step("minutes_more", 5)),
        presets,
    )
    return _asked(reader, one, "digest.ask_time" if reader.private else "digest.ask_time_group", rows, word=word)


def zone_screen(reader: Reader, one: Schedule, *, word: str = "") -> Message:
    """``-`` on a button is the account's own zone."""
    team = reader.say("digest.like_team", zone=zone_title(reader.texts, reader.zone.key))
    rows: list[tuple[Button, ...]] = [(action(_chosen(reader, team, on=not one.zone), f"dgz:{one.id}:-"),)]
    zones = [
        action(_chosen(reader, zone_title(reader.texts, zone), on=zone == one.zone), f"dgz:{one.id}:{place}")
        for place, zone in enumerate(USUAL_ZONES)
    ]
    rows += [tuple(zones[place : place + 2]) for place in range(0, len(zones), 2)]
    return _asked(reader, one, "digest.ask_zone" if reader.private else "digest.ask_zone_group", tuple(rows), word=word)


def parts_screen(reader: Reader, one: Schedule) -> Message:
    rows = tuple((action(_switch(reader, part, one), f"dgp:{one.id}:{bits_of(one.parts ^ {part})}"),) for part in DigestPart)
    return _asked(reader, one, "digest.ask_parts", rows)


def place_screen(reader: Reader, one: Schedule, places: Places) -> Message:
    """The presser's own chat, and every chat that is bound."""
    mine = Destination(chat_id=places.me)
    rows = [(action(_chosen(reader, reader.say("digest.button.me"), on=one.destination == mine), f"dgc:{one.id}:me"),)]
    for place in places.bound:
        there = Destination(chat_id=place.chat_id, topic_id=place.topic_id)
        title = shortened(_title(reader, place), TITLE_LIMIT)
        rows.append((action(_chosen(reader, title, on=one.destination == there), f"dgc:{one.id}:{place.id}"),))
    return _asked(reader, one, "digest.ask_place", tuple(rows))


def kind_screen(reader: Reader, one: Schedule) -> Message:
    rows = tuple(
        (action(_chosen(reader, reader.say(f"digest.kind.{kind}"), on=kind is one.kind), f"dgk:{one.id}:{kind}"),)
        for kind in DigestKind
    )
    about = [
        bullet(f"{reader.say(f'digest.kind.{kind}')}: {reader.say(f'digest.kind_about.{kind}')}") for kind in DigestKind
    ]
    screen = _asked(reader, one, "digest.ask_kind", rows)
    return Message(key=ANSWER, sections=(*screen.sections, Section(lines=tuple(about))), buttons=screen.buttons)


def delete_screen(reader: Reader, one: Schedule, places: Places) -> Message:
    where = where_to(reader, one.destination, places)
    text = reader.say("digest.delete_question", what=what_of(reader, one), when=when_of(reader, one), where=where)
    yes, no = (reader.say("digest.button.delete_yes"), f"dgdelgo:{one.id}"), (reader.say("settings.back"), f"dg:{one.id}")
    return question(text, yes, no)


def _line(reader: Reader, one: Schedule, places: Places) -> str:
    values = {"what": what_of(reader, one), "when": when_of(reader, one), "where": where_to(reader, one.destination, places)}
    return reader.say("digest.line", **values, next=standing_of(reader, one))


def _name(reader: Reader, one: Schedule, places: Places) -> str:
    return f"{what_of(reader, one)} · {when_of(reader, one)} · {where_to(reader, one.destination, places)}"


def _what(reader: Reader, one: Schedule) -> str:
    return reader.say(f"digest.kind.{one.kind}")


def _about(reader: Reader, one: Schedule, places: Places) -> Iterator[str]:
    yield reader.say("digest.row.what", what=reader.say(f"digest.kind_about.{one.kind}"))
    yield reader.say("digest.row.when", when=when_of(reader, one))
    yield reader.say("digest.row.where", where=where_to(reader, one.destination, places))
    yield reader.say("digest.row.parts", parts=", ".join(_part(reader, part) for part in DigestPart if part in one.parts))
    yield reader.say("digest.row.picture", picture=reader.say(f"digest.yes.{'on' if one.picture else 'off'}"))
    yield standing_of(reader, one, texts="digest.row")
    if one.missed:
        yield reader.say("digest.missed", count=one.missed)


def _controls(reader: Reader, one: Schedule) -> Rows:
    def button(name: str, target: str) -> Button:
        return action(reader.say(f"digest.button.{name}"), f"{target}:{one.id}")

    clock = ((button("days", "dgd"), button("time", "dgt"), button("zone", "dgz")),) if one.by_the_clock else ()
    picture = action(
        reader.say(f"digest.button.{'picture_off' if one.picture else 'picture_on'}"),
        f"dgpic:{one.id}:{int(not one.picture)}",
    )
    if one.obstacle is not None:
        pause = action(reader.say("digest.button.again"), f"dgon:{one.id}:1")
    else:
        pause = action(
            reader.say(f"digest.button.{'pause' if one.enabled else 'resume'}"), f"dgon:{one.id}:{int(not one.enabled)}"
        )
    return (
        *clock,
        (button("kind", "dgk"), button("parts", "dgp"), button("place", "dgc")),
        (picture, pause),
        (*((button("send", "dgsend"),) if one.by_the_clock else ()), button("delete", "dgdel")),
        (action(reader.say("digest.button.list"), "dgs:0"),),
    )


def _asked(reader: Reader, one: Schedule, name: str, rows: Rows, *, word: str = "") -> Message:
    lines = [plain(word)] if word else []
    lines.append(plain(reader.say("digest.row.when", when=when_of(reader, one))))
    back = (action(reader.say("settings.back"), f"dg:{one.id}"),)
    return Message(key=ANSWER, sections=(Section(title=bold(reader.say(name)), lines=tuple(lines)),), buttons=(*rows, back))


def _chosen(reader: Reader, title: str, *, on: bool) -> str:
    return reader.say("switch.on", title=title) if on else title


def _switch(reader: Reader, part: DigestPart, one: Schedule) -> str:
    return reader.say("switch.on" if part in one.parts else "switch.off", title=_part(reader, part))


def _part(reader: Reader, part: DigestPart) -> str:
    return reader.say(f"digest.part.{part}")


def _title(reader: Reader, place: BoundChat) -> str:
    title = place.title or reader.say("status.unnamed_chat", chat=place.chat_id)
    return title if place.topic_id is None else f"{title} · {place.topic_id}"


def _bits(days: Iterable[int]) -> int:
    return sum(1 << day for day in days)
