"""Who you are, what the bot can do, settings, people and bound chats, as screens. Pure functions."""

from collections.abc import Iterable, Iterator, Sequence

from domain.messages import Button, ButtonKind, Line, Message, Section, Span, Style, bullet, plain
from domain.roles import Person, Role
from handlers.calls.screens import ANSWER, action
from handlers.wording import Reader
from storage.destinations import BoundChat
from storage.people import ListedPerson

MIN_DURATIONS = (5, 10, 15, 20, 30, 60)
KINDS = ("call", "missed", "webinar", "registration", "lead", "notice")
Command = tuple[str, str]


def welcome_screen(reader: Reader, person: Person, commands: Iterable[Command]) -> Message:
    """What the bot does, for somebody it knows."""
    hello = reader.say("start.known", name=person.name) if person.name else reader.say("start.known_unnamed")
    role = plain(reader.say("start.role", role=reader.say(f"role.{person.role}")))
    top = Section(lines=(plain(hello), plain(reader.say("start.about")), role))
    asking = Section(lines=(plain(reader.say("start.ask")), *command_lines(commands)))
    return Message(key=ANSWER, sections=(top, asking))


def command_lines(commands: Iterable[Command]) -> Iterator[Line]:
    """One line a command; /start is known to whoever reads this."""
    for name, description in commands:
        if name != "start":
            yield plain(f"/{name} — {description}")


def help_screen(reader: Reader, commands: Iterable[Command]) -> Message:
    examples = tuple(bullet(f"«{example}»") for example in reader.say("help.examples").split("|"))
    foot = (plain(reader.say("help.inline")), plain(reader.say("help.topics")))
    sections = (
        Section(title=bold(reader.say("help.title"))),
        Section(title=bold(reader.say("help.commands")), lines=tuple(command_lines(commands))),
        Section(title=bold(reader.say("help.words")), lines=examples),
        Section(lines=foot),
    )
    return Message(key=ANSWER, sections=sections)


def help_calls_screen(reader: Reader, min_duration_s: int) -> Message:
    """What to check when a card did not come (the four checks), and where to look."""
    checks = reader.say("help.calls.checks", limit=min_duration_s).split("|")
    top = Section(
        title=bold(reader.say("help.calls.title")),
        lines=(plain(reader.say("help.calls.intro")), *(bullet(check) for check in checks)),
    )
    foot = Section(lines=tuple(plain(reader.say(f"help.calls.{name}")) for name in ("why", "find", "logs")))
    return Message(key=ANSWER, sections=(top, foot))


def help_bitrix_screen(reader: Reader) -> Message:
    """The order of looking for a fault: the self-test, the state, the journal, the portal's support."""
    steps = reader.say("help.bitrix.steps").split("|")
    numbered = tuple(plain(f"{number}. {step}") for number, step in enumerate(steps, 1))
    top = Section(title=bold(reader.say("help.bitrix.title")), lines=(plain(reader.say("help.bitrix.intro")), *numbered))
    foot = Section(lines=tuple(plain(reader.say(f"help.bitrix.{name}")) for name in ("scopes", "event")))
    return Message(key=ANSWER, sections=(top, foot))


def settings_screen(
    reader: Reader,
    *,
    min_duration_s: int,
    fixed: bool,
    people: int,
    places: Sequence[BoundChat],
    crm: str = "",
    houses: bool = False,
) -> Message:
    """The settings in force with the buttons that change them.

    ``crm``: what the connected one is called, "" for none; ``houses``: there is one that has them.
    """
    lines = [plain(reader.say("settings.min_duration", limit=min_duration_s))]
    lines.append(plain(reader.say("settings.min_fixed" if fixed else "settings.min_hint")))
    sections = (
        Section(title=bold(reader.say("settings.title")), lines=tuple(lines)),
        Section(title=bold(reader.say("settings.places")), lines=tuple(_place_lines(reader, places))),
        Section(lines=(plain(reader.say("settings.people", count=people)),)),
    )
    presets = tuple(_preset(reader, seconds, chosen=seconds == min_duration_s) for seconds in MIN_DURATIONS)
    rows = [] if fixed else [presets[:3], presets[3:]]
    rows += [(action(reader.say("digest.title"), "dgs:0"), action(reader.say("settings.people_button"), "people:0"))]
    rows += [(action(reader.say("settings.rules_button"), "rules:0"),)]
    rows += [(action(reader.say("settings.leads_button"), "lwaits:0"),)]
    rows += [(action(reader.say("settings.ads_button"), "ads:0"),)]
    rows += [(action(reader.say("stages.button.menu", crm=crm), "stgs:0"),)] if crm else []
    rows += [(action(reader.say("directory.button.menu"), "hmap:0"),)] if houses else []
    rows += [(action(reader.say("keys.button.menu"), "keys:0"),)]
    rows += [(action(reader.say("settings.invite_manager"), "invite:manager"),)]
    rows += [(action(reader.say("settings.invite_admin"), "invite:admin"),)]
    return Message(key=ANSWER, sections=sections, buttons=tuple(rows))


def _preset(reader: Reader, seconds: int, *, chosen: bool) -> Button:
    return action(reader.say("settings.min_chosen" if chosen else "settings.min_button", seconds=seconds), f"min:{seconds}")


def _place_lines(reader: Reader, places: Sequence[BoundChat]) -> Iterator[Line]:
    if not places:
        yield plain(reader.say("settings.no_places"))
    for place in places:
        title = place.title or reader.say("status.unnamed_chat", chat=place.chat_id)
        kinds = kinds_in_words(reader, place.kinds)
        if place.topic_id is None:
            yield bullet(reader.say("settings.place", title=title, kinds=kinds))
        else:
            yield bullet(reader.say("settings.place_topic", title=title, topic=place.topic_id, kinds=kinds))


def kinds_in_words(reader: Reader, kinds: Sequence[str]) -> str:
    return ", ".join(reader.say(f"bind.kind.{kind}") for kind in kinds if kind in KINDS)


def invitation_screen(reader: Reader, role: Role, link: str) -> Message:
    """The one-time link, ready to be forwarded."""
    lines = (
        plain(reader.say("invite.text", role=reader.say(f"role.{role}"))),
        plain(reader.say("invite.link")),
        Line(spans=(Span(link, Style.LINK, link),)),
    )
    copy = Button(text=reader.say("invite.copy"), kind=ButtonKind.COPY, target=link)
    return Message(key=ANSWER, sections=(Section(lines=lines),), buttons=((copy,),))


def people_screen(reader: Reader, person: Person, people: Sequence[ListedPerson], *, crm: str = "") -> Message:
    """Everybody the bot knows, with a button to shut out each but the reader and the owner; ``crm``: where tasks are."""
    lines = tuple(bullet(_person_line(reader, person, listed)) for listed in people)
    others = [
        listed
        for listed in people
        if not listed.disabled and listed.person.role is not Role.OWNER and listed.person.user_id != person.user_id
    ]
    rows = tuple(
        (action(reader.say("people.disable", name=name_of(reader, o.person)), f"off:{o.person.user_id}"),) for o in others
    )
    who = ((action(reader.say("linking.button.menu", crm=crm), "emps:0"),),) if crm else ()
    back = (action(reader.say("settings.back"), "settings:0"),)
    title = bold(reader.say("people.title"))
    return Message(key=ANSWER, sections=(Section(title=title, lines=lines),), buttons=(*rows, *who, back))


def _person_line(reader: Reader, person: Person, listed: ListedPerson) -> str:
    name, role = name_of(reader, listed.person), reader.say(f"role.{listed.person.role}")
    if listed.disabled:
        return reader.say("people.line_off", name=name)
    if listed.username:
        line = reader.say("people.line_username", name=name, username=listed.username, role=role)
    else:
        line = reader.say("people.line", name=name, role=role)
    return line + (reader.say("people.you") if listed.person.user_id == person.user_id else "")


def name_of(reader: Reader, person: Person) -> str:
    return person.name or reader.say("people.unnamed")


def bound_screen(reader: Reader, place: BoundChat) -> Message:
    """What this chat gets from now on, a switch for each kind, and who will see it."""
    lines = (
        plain(reader.say("bind.done", kinds=kinds_in_words(reader, place.kinds))),
        plain(reader.say("bind.guests")),
    )
    switches = tuple(_switch(reader, kind, on=kind in place.kinds) for kind in KINDS)
    rows: list[tuple[Button, ...]] = [switches[:3], switches[3:]]
    if place.source != "env":
        rows.append((action(reader.say("bind.unbind"), "unbind:0"),))
    return Message(key=ANSWER, sections=(Section(lines=lines),), buttons=tuple(rows))


def _switch(reader: Reader, kind: str, *, on: bool) -> Button:
    return action(reader.say("switch.on" if on else "switch.off", title=reader.say(f"bind.kind.{kind}")), f"kind:{kind}")


def bold(text: str) -> Line:
    return Line(spans=(Span(text, Style.BOLD),))
