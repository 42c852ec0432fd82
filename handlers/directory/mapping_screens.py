"""Which field of a deal says what of a house, as screens: all of them with examples, the choice for one. Pure functions."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from domain.directory import CardField, HouseField
from domain.messages import Button, Line, Message, Section, bold, bullet, plain
from handlers.calls.screens import ANSWER, action
from handlers.directory.mapping import Choice, fitting_fields
from handlers.wording import Reader, shortened
from storage.house_mapping import KeptMapping

PER_PAGE = 12
MOST_PIPELINES = 60  # a keyboard of Telegram's holds a hundred buttons
LABEL_LIMIT = 40
MOST_RIVALS = 3
MOST_COUNTED = 4
VALUE_LIMIT = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """How many houses say it, and what one of them says."""

    count: int = 0
    example: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingView:
    """``filled`` in the ``houses`` that were read last, which are of ``pipelines``; ``crm`` is what it is called."""

    crm: str
    kept: KeptMapping
    choices: tuple[Choice, ...]
    houses: int = 0
    pipelines: Mapping[str, int] = field(default_factory=dict)
    filled: Mapping[HouseField, Filled] = field(default_factory=dict)


def mapping_screen(reader: Reader, view: MappingView) -> Message:
    """What is taken from where, what is wrong with it, and a button for each."""
    known = bool(view.kept.fields)
    sections = [Section(title=bold(reader.say("mapping.title")), lines=tuple(_intro(reader, view)))]
    if known:
        sections += [Section(lines=tuple(_said(reader, view, one))) for one in view.choices]
        pipeline = reader.say("mapping.pipeline", name=pipeline_name(reader, view.kept))
        sections.append(Section(lines=(plain(pipeline), *_several(reader, view))))
    rows = [(_door(reader, one),) for one in view.choices] if known else []
    pipeline_button = reader.say("mapping.button.pipeline", name=shortened(pipeline_name(reader, view.kept), LABEL_LIMIT))
    rows.append((action(pipeline_button, "hmp:0"),))
    rows.append((action(reader.say("directory.button.refresh"), "hmread:0"),))
    rows.append((action(reader.say("settings.back"), "settings:0"),))
    return Message(key=ANSWER, sections=tuple(sections), buttons=tuple(rows))


def field_screen(reader: Reader, view: MappingView, house_field: HouseField, offset: int) -> Message:
    """Fields to choose from: those that fit first, then the company's own, which CRMs list after theirs."""
    choice = next(one for one in view.choices if one.house_field is house_field)
    fields = offered(view.kept, house_field)
    shown = fields[offset : offset + PER_PAGE]
    rows = [(_offer(reader, choice, one, fields),) for one in shown]
    if len(fields) > offset + PER_PAGE:
        rows.append((action(reader.say("mapping.button.more"), f"hmf:{house_field}:{offset + PER_PAGE}"),))
    none = reader.say("mapping.button.none")
    off = choice.by_hand and choice.card_field is None
    rows.append((action(reader.say("mapping.button.chosen", title=none) if off else none, f"hmset:{house_field}:-"),))
    if choice.by_hand:
        rows.append((action(reader.say("mapping.button.auto"), f"hmset:{house_field}:"),))
    rows.append((action(reader.say("settings.back"), "hmap:0"),))
    asked = plain(reader.say("mapping.choose", field=_name(reader, house_field)))
    head = Section(title=bold(reader.say("mapping.title")), lines=(asked, *_said(reader, view, choice)))
    return Message(key=ANSWER, sections=(head,), buttons=tuple(rows))


def pipelines_screen(reader: Reader, view: MappingView) -> Message:
    kept = view.kept
    every = reader.say("mapping.pipeline_all")
    titles = [("", every), *((one.external_id, shortened(one.name, LABEL_LIMIT)) for one in kept.pipelines[:MOST_PIPELINES])]
    rows = [
        (action(reader.say("mapping.button.chosen", title=title) if id_ == kept.pipeline_id else title, f"hmpset:{id_}"),)
        for id_, title in titles
    ]
    rows.append((action(reader.say("settings.back"), "hmap:0"),))
    asked = plain(reader.say("mapping.choose_pipeline"))
    head = Section(title=bold(reader.say("mapping.title")), lines=(asked, *_several(reader, view)))
    return Message(key=ANSWER, sections=(head,), buttons=tuple(rows))


def offered(kept: KeptMapping, house_field: HouseField) -> list[CardField]:
    fitting = fitting_fields(house_field, kept.fields)
    return [*fitting, *(one for one in reversed(kept.fields) if one not in fitting)]


def short_code(code: str) -> str:
    """A field's code may be longer than a button holds."""
    return hashlib.sha256(code.encode()).hexdigest()[:10]


def pipeline_name(reader: Reader, kept: KeptMapping) -> str:
    return _named(kept, kept.pipeline_id) if kept.pipeline_id else reader.say("mapping.pipeline_all")


def counted_pipelines(reader: Reader, kept: KeptMapping, pipelines: Mapping[str, int]) -> str:
    """««Дома» 490, «Продажи» 35», "" where there is nothing to choose between, or it is chosen."""
    if kept.pipeline_id or len(pipelines) < 2:
        return ""
    shown = [
        reader.say("mapping.in_pipeline", name=shortened(_named(kept, id_), LABEL_LIMIT), count=count)
        for id_, count in tuple(pipelines.items())[:MOST_COUNTED]
    ]
    rest = len(pipelines) - len(shown)
    return ", ".join(shown) + (reader.say("mapping.more_pipelines", count=rest) if rest else "")


def _several(reader: Reader, view: MappingView) -> Iterator[Line]:
    if named := counted_pipelines(reader, view.kept, view.pipelines):
        yield plain(reader.say("mapping.several", named=named))


def _named(kept: KeptMapping, pipeline_id: str) -> str:
    return next((one.name for one in kept.pipelines if one.external_id == pipeline_id), f"№ {pipeline_id}")


def _intro(reader: Reader, view: MappingView) -> Iterator[Line]:
    if not view.kept.fields:
        yield plain(reader.say("mapping.unknown", crm=view.crm))
        return
    yield plain(reader.say("mapping.intro"))
    if not view.houses:
        yield plain(reader.say("mapping.no_houses"))
    address = next(one for one in view.choices if one.house_field is HouseField.ADDRESS)
    if address.card_field is None:
        yield plain(reader.say("mapping.no_address_here" if view.kept.pipeline_id else "mapping.no_address"))


def _said(reader: Reader, view: MappingView, choice: Choice) -> Iterator[Line]:
    """The field, its example, and what somebody should look at."""
    name, one = _name(reader, choice.house_field), choice.card_field
    if one is None:
        yield bullet(reader.say("mapping.line_off" if choice.by_hand else "mapping.line_none", field=name))
    else:
        yield bullet(reader.say("mapping.line", field=name, label=shortened(one.label, LABEL_LIMIT), code=one.code))
        if view.houses:
            yield plain(_example(reader, view, choice.house_field))
    if choice.lost:
        yield plain(reader.say("mapping.lost", code=choice.lost))
    if choice.by_hand and one is not None:
        yield plain(reader.say("mapping.by_hand"))
    if choice.rivals:
        named = [
            reader.say("mapping.rival", label=shortened(rival.label, LABEL_LIMIT), code=rival.code)
            for rival in choice.rivals
        ]
        rest = reader.say("mapping.more_rivals", count=len(named) - MOST_RIVALS) if len(named) > MOST_RIVALS else ""
        yield plain(reader.say("mapping.rivals", named=", ".join(named[:MOST_RIVALS]) + rest))


def _example(reader: Reader, view: MappingView, house_field: HouseField) -> str:
    found = view.filled.get(house_field, Filled())
    if not found.count:
        return reader.say("mapping.filled_none")
    return reader.say("mapping.filled", count=found.count, all=view.houses, value=shortened(found.example, VALUE_LIMIT))


def _door(reader: Reader, choice: Choice) -> Button:
    label = (
        shortened(choice.card_field.label, LABEL_LIMIT) if choice.card_field is not None else reader.say("directory.nothing")
    )
    title = reader.say("mapping.button.field", field=_name(reader, choice.house_field), label=label)
    return action(title, f"hmf:{choice.house_field}:0")


def _offer(reader: Reader, choice: Choice, one: CardField, fields: Sequence[CardField]) -> Button:
    """Two fields with one label are told apart by their codes."""
    label = shortened(one.label, LABEL_LIMIT)
    alike = sum(other.label.casefold() == one.label.casefold() for other in fields) > 1
    title = reader.say("mapping.label", label=label, code=one.code) if alike else label
    chosen = choice.card_field is not None and choice.card_field.code == one.code
    title = reader.say("mapping.button.chosen", title=title) if chosen else title
    return action(title, f"hmset:{choice.house_field}:{short_code(one.code)}")


def _name(reader: Reader, house_field: HouseField) -> str:
    return reader.say(f"houses.field.{house_field}")
