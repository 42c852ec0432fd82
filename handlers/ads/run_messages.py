"""How far the application of rules is, and what became of it. Pure functions."""

from domain.ads import AdRun, RunState
from domain.messages import Button, Message, Section, bold, bullet, plain
from domain.plural import spaced
from handlers.calls.screens import action
from handlers.wording import Reader


def key_of(run: AdRun) -> str:
    """The key of the message that tells what becomes of a run."""
    return f"ads:{run.id}"


def progress_screen(reader: Reader, run: AdRun) -> Message:
    if run.state is RunState.UNDOING:
        return _said(run, reader.say("ads.run.undoing", done=spaced(run.restored), total=spaced(run.changed)))
    return _said(run, reader.say("ads.run.progress", done=spaced(run.done), total=spaced(run.total)))


def applied_screen(reader: Reader, run: AdRun) -> Message:
    """What it changed, and a way back."""
    lines = [bullet(reader.say("ads.run.seen", count=spaced(run.done)))]
    lines.append(bullet(reader.say("ads.run.changed", count=spaced(run.changed))))
    lines.append(plain(reader.say("ads.run.kept")))
    undo: tuple[tuple[Button, ...], ...] = ()
    if run.changed:
        undo = ((action(reader.say("ads.button.undo_run"), f"adundo:{run.id}"),),)
    rows = (*undo, (action(reader.say("ads.button.rules"), "ads:0"),))
    sections = (Section(title=bold(reader.say("ads.run.applied")), lines=tuple(lines)),)
    return Message(key=key_of(run), sections=sections, buttons=rows)


def taken_back_screen(reader: Reader, run: AdRun) -> Message:
    lines = [bullet(reader.say("ads.run.restored", count=spaced(run.restored)))]
    if run.changed > run.restored:
        lines.append(bullet(reader.say("ads.run.otherwise", count=spaced(run.changed - run.restored))))
    sections = (Section(title=bold(reader.say("ads.run.taken_back")), lines=tuple(lines)),)
    return Message(key=key_of(run), sections=sections, buttons=((action(reader.say("ads.button.rules"), "ads:0"),),))


def _said(run: AdRun, text: str) -> Message:
    return Message(key=key_of(run), sections=(Section(lines=(plain(text),)),), silent=True)
