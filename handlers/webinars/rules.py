"""The rules for registrations as screens: what is to happen, for all pages and for those with a rule of their own. Pure."""

import hashlib
from collections.abc import Iterator, Sequence

from domain.messages import Button, Line, Message, Quote, Section, Span, Style, bullet, plain
from domain.webinars import ALL_PAGES, RegistrationPage, Rule
from handlers.calls.screens import ANSWER, action
from handlers.webinars.drafts import MOST_PAGES, TITLE_LIMIT, page_ref
from handlers.webinars.reactions import LONGEST_MESSAGE, PLACEHOLDERS
from handlers.wording import Reader, shortened, stage_name

EVERY = "*"  # on a button: all pages
MOST_STATUSES = 6
LONGEST_STATUS = 60
STATUS_LIMIT = 30


def rules_screen(reader: Reader, pages: Sequence[RegistrationPage], rules: Sequence[Rule]) -> Message:
    """What happens on each page, with a button for each. ``pages`` are those the platform tells, and those with a rule."""
    own = {rule.page_id: rule for rule in rules}
    common = own.get(ALL_PAGES, Rule())
    lines = [plain(reader.say("rule.always"))]
    lines.append(bullet(Span(reader.say("rule.all_pages") + ": ", Style.BOLD), in_words(reader, common)))
    lines += [
        bullet(Span(f"{_title(page)}: ", Style.BOLD), in_words(reader, own[page.page_id]))
        for page in pages
        if page.page_id in own
    ]
    rows = [(action(reader.say("rule.all_pages"), f"rule:{EVERY}"),)]
    rows += [(action(_title(page), f"rule:{page_ref(page)}"),) for page in pages[:MOST_PAGES]]
    rows.append((action(reader.say("settings.back"), "settings:0"),))
    title = Line(spans=(Span(reader.say("rule.title"), Style.BOLD),))
    return Message(key=ANSWER, sections=(Section(title=title, lines=tuple(lines)),), buttons=tuple(rows))


def in_words(reader: Reader, rule: Rule) -> str:
    """«текст клиенту, перевести в «Записан»»."""
    said = [reader.say("rule.with_text" if rule.message else "rule.no_text")]
    said.append(
        reader.say("rule.move", status=stage_name(reader.texts, rule.status)) if rule.status else reader.say("rule.leave")
    )
    return ", ".join(said)


def rule_screen(reader: Reader, page: RegistrationPage | None, rule: Rule, statuses: Sequence[str], *, own: bool) -> Message:
    """One rule; ``page`` None is for all pages. ``own``: the page has a rule of its own, which can be taken away."""
    ref = page_ref(page) if page is not None else EVERY
    name = _title(page) if page is not None else reader.say("rule.all_pages").lower()
    title = Line(spans=(Span(reader.say("rule.of", name=name), Style.BOLD),))
    head = Section(title=title, lines=tuple(_about(reader, rule, page, own=own)))
    words = (Quote(lines=tuple(plain(line) for line in rule.message.splitlines())),) if rule.message else ()
    said = (Section(lines=words),) if words else ()
    return Message(key=ANSWER, sections=(head, *said), buttons=tuple(_rows(reader, ref, rule, statuses, own=own)))


def _about(reader: Reader, rule: Rule, page: RegistrationPage | None, *, own: bool) -> Iterator[Line]:
    if page is not None and not own:
        yield plain(reader.say("rule.follows"))
    moved = (
        reader.say("rule.move", status=stage_name(reader.texts, rule.status)) if rule.status else reader.say("rule.leave_it")
    )
    yield bullet(reader.say("rule.status", what=moved))
    yield bullet(reader.say("rule.text_set" if rule.message else "rule.text_none"))


def _rows(reader: Reader, ref: str, rule: Rule, statuses: Sequence[str], *, own: bool) -> Iterator[tuple[Button, ...]]:
    text = (action(reader.say("rule.button.text"), f"rtext:{ref}"),)
    yield (*text, action(reader.say("rule.button.no_text"), f"rclear:{ref}")) if rule.message else text
    leave = reader.say("rule.button.leave")
    yield (action(leave if rule.status else reader.say("switch.on", title=leave), f"rstat:{ref}:0"),)
    shown = list(dict.fromkeys([*([rule.status] if rule.status else []), *statuses]))[:MOST_STATUSES]
    buttons = [_status(reader, ref, status, chosen=status == rule.status) for status in shown]
    yield from (tuple(buttons[place : place + 2]) for place in range(0, len(buttons), 2))
    yield (action(reader.say("rule.button.other"), f"rtype:{ref}"),)
    if own and ref != EVERY:
        yield (action(reader.say("rule.button.drop"), f"rdrop:{ref}"),)
    yield (action(reader.say("settings.back"), "rules:0"),)


def _status(reader: Reader, ref: str, status: str, *, chosen: bool) -> Button:
    title = shortened(stage_name(reader.texts, status), STATUS_LIMIT)
    return action(reader.say("switch.on", title=title) if chosen else title, f"rstat:{ref}:{status_ref(status)}")


def status_ref(status: str) -> str:
    """A status on a button, which is short."""
    return hashlib.sha256(status.encode("utf-8", "replace")).hexdigest()[:8]


def text_question(reader: Reader) -> Message:
    lines = (
        plain(reader.say("rule.ask_text")),
        plain(reader.say("rule.placeholders", names=", ".join(f"{{{name}}}" for name in PLACEHOLDERS))),
    )
    return Message(key=ANSWER, sections=(Section(lines=lines),))


def text_problem(reader: Reader, text: str, unknown: Sequence[str]) -> str:
    """What is wrong with words for a client, "" where nothing is."""
    if len(text) > LONGEST_MESSAGE:
        return reader.say("rule.text_long", limit=LONGEST_MESSAGE, given=len(text))
    if unknown:
        names = ", ".join(f"{{{name}}}" for name in unknown)
        known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
        return reader.say("rule.text_unknown", names=names, known=known)
    return ""


def _title(page: RegistrationPage) -> str:
    return shortened(page.title or page.page_id, TITLE_LIMIT)
