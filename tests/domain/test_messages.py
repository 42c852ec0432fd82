"""Messages as blocks: what plain text they make."""

import pytest

from domain.messages import Line, Message, Quote, Section, Span, Style, Texts, as_text, bold, bullet, plain

CARD = Message(
    key="call:1",
    sections=(
        Section(title=bold("Итог"), lines=(plain("Перезвонить"), bullet("до ", Span("18:00", Style.BOLD)))),
        Section(lines=(Quote(lines=(plain("— Алло"), plain("— Да")), expandable=True), Line(spans=()))),
    ),
)


def test_plain_text_keeps_the_order_and_unfolds_quotes() -> None:
    assert as_text(CARD) == "Итог\nПерезвонить\n• до 18:00\n— Алло\n— Да\n"


def test_texts_fill_their_fields() -> None:
    texts = Texts({"call.title": "Звонок: {name}", "call.braces": "{так и есть}"})
    assert texts.get("call.title", name="{Иван}") == "Звонок: {Иван}"
    assert texts.get("call.braces") == "{так и есть}"
    with pytest.raises(KeyError):
        texts.get("call.nothing")
    with pytest.raises(KeyError):
        texts.get("call.title", who="Иван")
