"""Keys of the HTTP API as screens: all, one, one being made, and the secret that is shown once. Pure functions."""

from collections.abc import Iterable, Sequence

from domain.access import ApiKey, Scope
from domain.messages import Button, ButtonKind, Line, Message, Section, Span, Style, bold, bullet, plain
from handlers.calls.screens import ANSWER, action
from handlers.wording import Reader, shortened

TITLE_LIMIT = 40
_SAMPLES = {
    Scope.DIRECTORY: "/api/cleaning/houses?limit=5",
    Scope.STATISTICS: "/api/dashboard/statistics",
    Scope.METRICS: "/metrics",
}


def keys_screen(reader: Reader, keys: Sequence[ApiKey], *, address: str, word: str = "") -> Message:
    """A button for each. ``address``: where the API answers; ``word``: what has just been done."""
    lines = [plain(word)] if word else []
    lines.append(plain(reader.say("keys.intro", docs=f"{address}/docs")))
    lines += [bullet(_in_a_line(reader, key)) for key in keys] or [plain(reader.say("keys.none"))]
    rows = [(action(shortened(key.name, TITLE_LIMIT), f"key:{key.id}"),) for key in keys]
    rows.append((action(reader.say("keys.button.add"), "keyadd:0"),))
    rows.append((action(reader.say("settings.back"), "settings:0"),))
    section = Section(title=bold(reader.say("keys.title")), lines=tuple(lines))
    return Message(key=ANSWER, sections=(section,), buttons=tuple(rows))


def key_screen(reader: Reader, key: ApiKey) -> Message:
    """What it opens, when it was used, and what can be done with it."""
    told = [reader.say("keys.one_prefix", prefix=key.prefix), reader.say("keys.one_scopes", scopes=_scopes(reader, key))]
    told += [reader.say("keys.one_made", at=reader.moment(key.created_at)), _used(reader, key)]
    if key.rotated_at is not None:
        told.append(reader.say("keys.one_replaced", at=reader.moment(key.rotated_at)))
    if key.old_until is not None and key.old_until > reader.now:
        until = reader.moment(key.old_until)
        told.append(reader.say("keys.one_old", prefix=key.old_prefix, until=until))
        if key.old_used_at is not None and key.rotated_at is not None and key.old_used_at >= key.rotated_at:
            told.append(reader.say("keys.one_old_used", ago=reader.ago(key.old_used_at)))
    rows = (
        (action(reader.say("keys.button.replace"), f"keyrot:{key.id}"),),
        (action(reader.say("keys.button.revoke"), f"keyoff:{key.id}"),),
        (action(reader.say("settings.back"), "keys:0"),),
    )
    section = Section(title=bold(f"🔑 {key.name}"), lines=tuple(bullet(line) for line in told))
    return Message(key=ANSWER, sections=(section,), buttons=rows)


def scopes_screen(reader: Reader, name: str, chosen: Iterable[Scope]) -> Message:
    """A key being made: a switch for each scope."""
    on = set(chosen)
    rows: list[tuple[Button, ...]] = [(_switch(reader, scope, on=scope in on),) for scope in Scope]
    rows.append((action(reader.say("keys.button.make"), "keymake:0"),))
    rows.append((action(reader.say("settings.back"), "keys:0"),))
    section = Section(lines=(plain(reader.say("keys.ask_scopes", name=name)),))
    return Message(key=ANSWER, sections=(section,), buttons=tuple(rows))


def secret_screen(reader: Reader, key: ApiKey, secret: str, *, address: str) -> Message:
    """The one time that a key is seen: copied with a tap, tried with one line, then taken away."""
    replaced = key.rotated_at is not None
    title = bold(reader.say("keys.replaced" if replaced else "keys.made", name=key.name))
    lines = [Line(spans=(Span(secret, Style.CODE),)), plain(reader.say("keys.once"))]
    if replaced and key.old_until is not None:
        kept = key.old_until > reader.now
        lines.append(plain(reader.say("keys.old_until" if kept else "keys.old_ended", until=reader.moment(key.old_until))))
    sample = next(path for scope, path in _SAMPLES.items() if scope in key.scopes)
    curl = f'curl -H "Authorization: Bearer {secret}" "{address}{sample}"'
    trial = Section(lines=(plain(reader.say("keys.try")), Line(spans=(Span(curl, Style.CODE),))))
    copy = Button(text=reader.say("keys.button.copy"), kind=ButtonKind.COPY, target=secret)
    rows = ((copy,), (action(reader.say("keys.button.seen"), "keyseen:0"),))
    return Message(key=ANSWER, sections=(Section(title=title, lines=tuple(lines)), trial), buttons=rows)


def _in_a_line(reader: Reader, key: ApiKey) -> str:
    said = {"name": key.name, "prefix": key.prefix, "scopes": _scopes(reader, key), "used": _used(reader, key)}
    return reader.say("keys.line", **said)


def _used(reader: Reader, key: ApiKey) -> str:
    if key.last_used_at is None:
        return reader.say("keys.unused")
    return reader.say("keys.used", ago=reader.ago(key.last_used_at))


def _scopes(reader: Reader, key: ApiKey) -> str:
    return ", ".join(reader.say(f"keys.scope.{scope}") for scope in Scope if scope in key.scopes)


def _switch(reader: Reader, scope: Scope, *, on: bool) -> Button:
    title = reader.say(f"keys.scope_about.{scope}")
    return action(reader.say("switch.on" if on else "switch.off", title=title), f"keysc:{scope}")
