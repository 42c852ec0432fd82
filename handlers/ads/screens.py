"""The rules for directions and creatives as screens: all, one, one being put together, marks without any. Pure."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence

from domain.ads import AdRule, AdRules, How, Part, Sign
from domain.messages import Button, Message, Section, bold, bullet, plain
from domain.plural import spaced
from handlers.ads.drafts import Draft, Step
from handlers.calls.screens import ANSWER, action, say
from handlers.wording import Reader, shortened
from storage.queries.marks import Fitting, MarkCount

MOST_RULES = 60
TITLE_LIMIT = 40
BUTTON_LIMIT = 30
LONGEST_VALUE, LONGEST_TITLE = 200, 120
MOST_NAMES = 8
Titles = Mapping[Part, Mapping[int, str]]


def rules_screen(reader: Reader, rules: AdRules, titles: Titles, *, nameless: int, word: str = "") -> Message:
    """All of them in their order, with a button for each. ``word``: what has just been done."""
    lines = [plain(word)] if word else []
    lines.append(plain(reader.say("ads.order" if rules.rules else "ads.none")))
    lines += [plain(f"{number}. {in_words(reader, rule, titles)}") for number, rule in enumerate(rules.rules, 1)]
    about = Section(lines=(plain(reader.say("ads.by_name")), plain(reader.say("ads.said_stays"))))
    numbers = [action(str(place + 1), f"adrule:{rules.version}:{place}") for place in range(len(rules.rules))]
    rows = [tuple(numbers[start : start + 5]) for start in range(0, len(numbers), 5)]
    rows.append((action(reader.say("ads.button.add"), "adadd:0"),))
    if nameless:
        rows.append((action(reader.say("ads.button.nameless", count=spaced(nameless)), "adnone:0"),))
    rows.append((action(reader.say("ads.button.apply"), "adapply:0"),))
    if rules.version:
        rows.append((action(reader.say("ads.button.back"), f"adback:{rules.version}"),))
    rows.append((action(reader.say("settings.back"), "settings:0"),))
    sections = (Section(title=bold(reader.say("ads.title")), lines=tuple(lines)), about)
    return Message(key=ANSWER, sections=sections, buttons=tuple(rows))


def in_words(reader: Reader, rule: AdRule, titles: Titles) -> str:
    """«utm_campaign начинается с «kuhni» → направление «Кухни»»."""
    title = titles[rule.part].get(rule.name_id, reader.say("ads.gone_name"))
    return _said(reader, rule, title)


def _said(reader: Reader, rule: AdRule, title: str) -> str:
    given = {"sign": reader.say(f"ads.sign.{rule.sign}"), "how": reader.say(f"ads.how.{rule.how}")}
    given |= {"value": shortened(rule.value, TITLE_LIMIT), "part": reader.say(f"ads.part.{rule.part}")}
    return reader.say("ads.rule", **given, title=shortened(title, TITLE_LIMIT))


def rule_screen(reader: Reader, rules: AdRules, place: int, titles: Titles, fitting: Fitting) -> Message:
    """One rule, whom it fits, and what can be done with it."""
    at = f"{rules.version}:{place}"
    lines = (
        plain(in_words(reader, rules.rules[place], titles)),
        *map(plain, _fitting(reader, rules.rules[place].part, fitting)),
    )
    moves = [action(reader.say("ads.button.up"), f"adup:{at}")] if place else []
    if place < len(rules.rules) - 1:
        moves.append(action(reader.say("ads.button.down"), f"addown:{at}"))
    rows: list[tuple[Button, ...]] = [
        (action(reader.say("ads.button.edit"), f"adedit:{at}"), action(reader.say("ads.button.drop"), f"addrop:{at}"))
    ]
    rows += [tuple(moves)] if moves else []
    rows.append((action(reader.say("ads.button.rules"), "ads:0"),))
    title = bold(reader.say("ads.one", number=place + 1))
    return Message(key=ANSWER, sections=(Section(title=title, lines=lines),), buttons=tuple(rows))


def _fitting(reader: Reader, part: Part, fitting: Fitting) -> Iterator[str]:
    yield (
        reader.say("ads.fits", leads=reader.count(fitting.leads, "lead_dative"))
        if fitting.leads
        else reader.say("ads.fits_none")
    )
    if fitting.said:
        yield reader.say(f"ads.said.{part}", leads=reader.count(fitting.said, "lead_of"))


def question_screen(reader: Reader, step: Step, draft: Draft, names: Mapping[int, str]) -> Message:
    """What is asked next. ``names``: directions or creatives there are."""
    rows: list[tuple[Button, ...]] = []
    if step is Step.SIGN:
        buttons = [action(reader.say(f"ads.sign.{sign}"), f"adsign:{sign}") for sign in Sign]
        rows = [tuple(buttons[start : start + 2]) for start in range(0, len(buttons), 2)]
    elif step is Step.HOW:
        rows = [(action(reader.say(f"ads.how.{how}"), f"adhow:{how}"),) for how in How]
    elif step is Step.PART:
        rows = [tuple(action(reader.say(f"ads.part.{part}"), f"adpart:{part}") for part in Part)]
    elif step is Step.TITLE:
        chosen = list(names.items())[:MOST_NAMES]
        rows = [(action(shortened(title, BUTTON_LIMIT), f"adname:{name_id}"),) for name_id, title in chosen]
    sign = reader.say(f"ads.sign.{draft.sign}") if draft.sign else ""
    part = reader.say(f"ads.part_of.{draft.part}") if draft.part else ""
    text = reader.say(f"ads.ask.{step}", sign=sign, value=shortened(draft.value, TITLE_LIMIT), part=part)
    return say(text, *rows, (action(reader.say("ads.button.cancel"), "ads:0"),))


def check_screen(reader: Reader, draft: Draft, fitting: Fitting, *, new_name: bool) -> Message:
    """The whole rule before it is saved, and whom it would fit."""
    part = Part(draft.part)
    lines = [_said(reader, draft.rule(), draft.title)]
    lines += _fitting(reader, part, fitting)
    if new_name:
        lines.append(reader.say(f"ads.new_name.{part}", title=shortened(draft.title, TITLE_LIMIT)))
    asks = [action(reader.say(f"ads.button.step.{step}"), f"adask:{step}") for step in Step]
    go = (action(reader.say("ads.button.save"), "adsave:0"), action(reader.say("ads.button.cancel"), "ads:0"))
    rows = (go, tuple(asks[:3]), tuple(asks[3:]))
    section = Section(title=bold(reader.say("ads.check")), lines=tuple(map(plain, lines)))
    return Message(key=ANSWER, sections=(section,), buttons=rows)


def nameless_screen(reader: Reader, total: int, counts: Sequence[MarkCount]) -> Message:
    """Leads without a direction by what they say most often; a tap on one begins a rule for it."""
    rows = [
        (action(f"{shortened(one.value, BUTTON_LIMIT)} · {spaced(one.leads)}", f"adnew:{one.sign}:{mark_ref(one.value)}"),)
        for one in counts
    ]
    lines = [bullet(reader.say("ads.mark", sign=reader.say(f"ads.sign.{one.sign}"), value=shortened(one.value, TITLE_LIMIT),
                               leads=reader.count(one.leads, "lead"))) for one in counts]  # fmt: skip
    hint = plain(reader.say("ads.nameless_hint" if counts else "ads.nameless_bare"))
    title = bold(reader.say("ads.nameless", leads=reader.count(total, "lead")))
    rows.append((action(reader.say("ads.button.rules"), "ads:0"),))
    return Message(key=ANSWER, sections=(Section(title=title, lines=(hint, *lines)),), buttons=tuple(rows))


def mark_ref(value: str) -> str:
    """A mark on a button, which is short."""
    return hashlib.sha256(value.encode("utf-8", "replace")).hexdigest()[:8]


def apply_screen(reader: Reader, rules: AdRules) -> Message:
    count = reader.count(len(rules.rules), "rule")
    go = (
        action(reader.say("ads.button.apply_go"), f"adgo:{rules.version}"),
        action(reader.say("ads.button.cancel"), "ads:0"),
    )
    return say(reader.say("ads.apply", rules=count), go)
