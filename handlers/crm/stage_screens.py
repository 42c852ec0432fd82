"""What the stages of a CRM mean, as screens: pipelines, the stages of one, and the choice for one stage. Pure functions."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from domain.crm import OWN_NAME, LeadStatus
from domain.messages import Button, Message, Section, bold, bullet, plain
from handlers.calls.screens import ANSWER, action
from handlers.wording import Reader, shortened, stage_name
from storage.queries.stages import ListedStage

PER_PAGE = 20
TITLE_LIMIT = 40


def pipelines_screen(
    reader: Reader, crm: str, stages: Sequence[ListedStage], heard_at: datetime | None, *, may_ask: bool
) -> Message:
    """A button a pipeline; when the CRM has last told its stages, and a button that asks it again."""
    firsts = {stage.pipeline_id: stage for stage in reversed(stages)}
    lines = [plain(reader.say("stages.intro" if stages else "stages.none"))]
    lines += [plain(reader.say("stages.heard", ago=reader.ago(heard_at)))] if may_ask else []
    rows = [
        (action(_titled(reader, stages, firsts[number]), f"stgp:{firsts[number].id}:0"),)
        for number in dict.fromkeys(stage.pipeline_id for stage in stages)
    ]
    if may_ask:
        rows.append((action(reader.say("stages.button.ask"), "stgask:0"),))
    rows.append((action(reader.say("settings.back"), "settings:0"),))
    head = Section(title=bold(reader.say("stages.title", crm=crm)), lines=tuple(lines))
    return Message(key=ANSWER, sections=(head,), buttons=tuple(rows))


def pipeline_screen(reader: Reader, stages: Sequence[ListedStage], first: ListedStage, offset: int) -> Message:
    """A button a stage with what it means now."""
    own = [stage for stage in stages if stage.pipeline_id == first.pipeline_id]
    rows = [
        (action(f"{_called(reader, stage)} → {_means(reader, stage)}", f"stg:{stage.id}"),)
        for stage in own[offset : offset + PER_PAGE]
    ]
    if len(own) > offset + PER_PAGE:
        rows.append((action(reader.say("stages.button.more"), f"stgp:{first.id}:{offset + PER_PAGE}"),))
    rows.append((action(reader.say("settings.back"), "stgs:0"),))
    head = Section(title=bold(_pipeline(reader, first)), lines=(plain(reader.say("stages.which")),))
    return Message(key=ANSWER, sections=(head,), buttons=tuple(rows))


def stage_screen(reader: Reader, stage: ListedStage, *, fixed: bool, free: bool) -> Message:
    """``fixed``: a setting says it; ``free``: the chat may."""
    lines = [bullet(reader.say("stages.pipeline", name=_pipeline(reader, stage)))]
    lines.append(bullet(reader.say("stages.means", status=_means(reader, stage))))
    if not free:
        lines.append(plain(reader.say("stages.fixed" if fixed else "stages.everywhere")))
    rows = list(_choices(reader, stage)) if free else []
    rows.append((action(reader.say("settings.back"), f"stgp:{stage.id}:0"),))
    head = Section(title=bold(_called(reader, stage)), lines=tuple(lines))
    return Message(key=ANSWER, sections=(head,), buttons=tuple(rows))


def _choices(reader: Reader, stage: ListedStage) -> Iterator[tuple[Button, ...]]:
    """The nine statuses, the CRM's own name, and back to what it means where nobody has chosen."""
    buttons = [_choice(reader, stage, one.value, stage_name(reader.texts, one.value)) for one in LeadStatus]
    yield from (tuple(buttons[place : place + 2]) for place in range(0, len(buttons), 2))
    yield (_choice(reader, stage, OWN_NAME, reader.say("stages.button.own")),)
    if stage.chosen:
        yield (action(reader.say("stages.button.usual"), f"stgset:{stage.id}:"),)


def _choice(reader: Reader, stage: ListedStage, choice: str, title: str) -> Button:
    chosen = choice == (stage.chosen or stage.status)
    return action(reader.say("switch.on", title=title) if chosen else title, f"stgset:{stage.id}:{choice}")


def _titled(reader: Reader, stages: Sequence[ListedStage], first: ListedStage) -> str:
    count = sum(stage.pipeline_id == first.pipeline_id for stage in stages)
    return f"{_pipeline(reader, first)} · {count}"


def _pipeline(reader: Reader, stage: ListedStage) -> str:
    return shortened(stage.pipeline, TITLE_LIMIT) or reader.say("stages.nameless", number=stage.pipeline_id or "—")


def _called(reader: Reader, stage: ListedStage) -> str:
    return shortened(stage.name, TITLE_LIMIT) or reader.say("stages.unknown", number=stage.status_id)


def _means(reader: Reader, stage: ListedStage) -> str:
    return shortened(stage_name(reader.texts, stage.status), TITLE_LIMIT)
