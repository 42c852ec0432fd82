"""The page of /help about webinars."""

from domain.messages import Line, Message, Section, Span, Style, bullet
from handlers.calls.screens import ANSWER
from handlers.wording import Reader


def help_webinars_screen(reader: Reader) -> Message:
    """The jobs, a line each, and what to look at when nothing comes."""
    title = Line(spans=(Span(reader.say("help.webinars.title"), Style.BOLD),))
    names = ("see", "register", "visited", "viewer", "link", "phones", "late")
    lines = tuple(bullet(reader.say(f"help.webinars.{name}")) for name in names)
    return Message(key=ANSWER, sections=(Section(title=title, lines=lines),))
