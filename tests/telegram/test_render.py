"""Text, entities and keyboards: offsets are right in UTF-16, nothing is ever longer than Telegram takes."""

from datetime import UTC, datetime

import pytest
from aiogram.types import MessageEntity
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.telegram.render import CUT, IN_FILE, REPEAT_MARK, TEXT_LIMIT, as_kwargs, render, render_caption
from bot.telegram.shorten import fit, size, units
from domain.messages import Button, ButtonKind, File, Line, Message, Quote, Section, Span, Style, bold, bullet, plain


def piece(text: str, entity: MessageEntity) -> str:
    raw = text.encode("utf-16-le")
    return raw[entity.offset * 2 : (entity.offset + entity.length) * 2].decode("utf-16-le")


def message(*sections: Section, **more: object) -> Message:
    return Message(key="k", sections=sections, **more)  # type: ignore[arg-type]


def test_a_card_reads_as_written() -> None:
    rendered = render(
        message(
            Section(title=bold("📞 Входящий звонок")),
            Section(
                title=bold("👨‍👩‍👧 Ключевые пункты:"), lines=(bullet("жалоба ", Span("🧹", Style.ITALIC)), bullet("просьба"))
            ),
        )
    )
    assert rendered.text == "📞 Входящий звонок\n\n👨‍👩‍👧 Ключевые пункты:\n• жалоба 🧹\n• просьба"
    assert [(entity.type, piece(rendered.text, entity)) for entity in rendered.entities] == [
        ("bold", "📞 Входящий звонок"),
        ("bold", "👨‍👩‍👧 Ключевые пункты:"),
        ("italic", "🧹"),
    ]


def test_every_style_becomes_its_entity() -> None:
    moment = datetime(2026, 11, 21, 9, tzinfo=UTC)
    spans = (
        Span("b", Style.BOLD),
        Span("i", Style.ITALIC),
        Span("c", Style.CODE),
        Span("l", Style.LINK, "https://example.org/1"),
        Span("t", Style.TIME, moment.isoformat()),
        Span("", Style.BOLD),
    )
    rendered = render(message(Section(lines=(Line(spans=spans),))))
    assert [entity.type for entity in rendered.entities] == ["bold", "italic", "code", "text_link", "date_time"]
    assert rendered.entities[3].url == "https://example.org/1"
    assert rendered.entities[4].unix_time == int(moment.timestamp())


def test_quotes_fold() -> None:
    quote = Quote(lines=(plain("раз"), Line(spans=(Span("два", Style.BOLD),))), expandable=True)
    rendered = render(message(Section(lines=(plain("до"), quote, Quote(lines=(plain("три"),))))))
    assert rendered.text == "до\nраз\nдва\nтри"
    kinds = {entity.type: piece(rendered.text, entity) for entity in rendered.entities}
    assert kinds == {"expandable_blockquote": "раз\nдва", "bold": "два", "blockquote": "три"}


def test_keyboards() -> None:
    rows = (
        (
            Button(text="Взял", kind=ButtonKind.ACTION, target="take:1"),
            Button(text="CRM", kind=ButtonKind.URL, target="https://example.org/"),
        ),
        (),
        (Button(text="Телефон", kind=ButtonKind.COPY, target="+7" + "9" * 300),),
    )
    keyboard = render(message(Section(lines=(plain("x"),)), buttons=rows)).keyboard
    assert keyboard is not None
    (take, crm), (copy,) = keyboard.inline_keyboard
    assert (take.callback_data, crm.url) == ("take:1", "https://example.org/")
    assert copy.copy_text is not None
    assert len(copy.copy_text.text) == 256


def test_a_button_that_does_not_fit_is_a_defect() -> None:
    long = Button(text="x", kind=ButtonKind.ACTION, target="ж" * 33)
    with pytest.raises(ValueError, match="64 bytes"):
        render(message(Section(lines=(plain("x"),)), buttons=((long,),)))


def test_a_possible_repeat_says_so() -> None:
    rendered = render(message(Section(lines=(plain("x"),))), repeated=True)
    assert rendered.text == f"x\n\n{REPEAT_MARK}"
    assert render_caption("подпись", repeated=True) == f"подпись\n{REPEAT_MARK}"
    assert render_caption("", repeated=True) == REPEAT_MARK


def test_bare_text_has_neither_markup_nor_buttons() -> None:
    button = Button(text="x", kind=ButtonKind.ACTION, target="a")
    rendered = render(message(Section(title=bold("t")), buttons=((button,),)), plain=True)
    assert (rendered.text, rendered.entities, rendered.keyboard) == ("t", [], None)


def test_nothing_is_still_something() -> None:
    assert render(message()).text == "—"
    assert render(message(Section(lines=(plain(" \n "),)))).text == "—"


def test_what_handlers_answer_with() -> None:
    shown = as_kwargs(message(Section(title=bold("t"))))
    assert shown["text"] == "t"
    assert shown["reply_markup"] is None
    assert shown["parse_mode"] is None


def test_characters_telegram_drops_do_not_shift_offsets() -> None:
    rendered = render(message(Section(lines=(Line(spans=(Span("a\r\u2028\u0007b\ud800 "), Span("жир", Style.BOLD))),))))
    assert rendered.text == "a b\ufffd жир"
    assert piece(rendered.text, rendered.entities[0]) == "жир"


def test_the_heaviest_section_gives_way_first() -> None:
    light = Section(title=bold("Итог"), lines=(plain("важно " * 100),), weight=0)
    heavy = Section(title=bold("Пункты"), lines=tuple(bullet(f"пункт {n} " + "х" * 90) for n in range(60)), weight=5)
    rendered = render(message(light, heavy))
    assert units(rendered.text) <= TEXT_LIMIT
    assert ("важно " * 100).strip() in rendered.text
    last = rendered.text.splitlines()[-1]
    assert last.startswith("… ещё ")
    assert last.split()[-1] in {"строка", "строки", "строк"}
    shown = rendered.text.count("• пункт")
    assert f"… ещё {60 - shown} " in last


def test_a_long_quote_gives_way_to_the_file() -> None:
    quote = Quote(lines=tuple(plain(f"— реплика {n} " + "ж" * 80) for n in range(100)), expandable=True)
    section = Section(title=bold("Разговор"), lines=(quote,), weight=9)
    with_file = render(message(section, files=(File(path="a.txt", name="a.txt"),)))
    assert with_file.text == f"Разговор\n{IN_FILE}"
    without = render(message(section))
    assert units(without.text) <= TEXT_LIMIT
    assert without.text.startswith("Разговор\n— реплика 0")
    assert without.text.endswith(CUT)
    folded = next(entity for entity in without.entities if entity.type == "expandable_blockquote")
    assert piece(without.text, folded).endswith(CUT)


def test_one_endless_line_is_cut_between_words() -> None:
    rendered = render(message(Section(lines=(plain("слово " * 2000),))))
    assert TEXT_LIMIT - 30 <= units(rendered.text) <= TEXT_LIMIT
    assert rendered.text.endswith("слово…")


def test_a_caption_is_cut_too() -> None:
    caption = render_caption("слово " * 400, repeated=True)
    assert units(caption) <= 1024
    assert caption.endswith(f"слово…\n{REPEAT_MARK}")


def test_a_title_alone_is_cut_and_a_thousand_titles_are_dropped() -> None:
    assert units(render(message(Section(title=bold("я" * 5000)))).text) <= TEXT_LIMIT
    many = tuple(Section(title=bold("заголовок " * 3)) for _ in range(3000))
    assert units(render(message(*many)).text) <= TEXT_LIMIT


words = st.text(alphabet=st.sampled_from("абв 👩‍🚀𝔘xyz\n—é"), max_size=40)
styles = st.sampled_from([Style.PLAIN, Style.BOLD, Style.ITALIC, Style.CODE])
lines = st.builds(
    Line, spans=st.lists(st.builds(Span, words, styles), min_size=1, max_size=4).map(tuple), bullet=st.booleans()
)
quotes = st.builds(Quote, lines=st.lists(lines, min_size=1, max_size=6).map(tuple), expandable=st.booleans())
sections = st.builds(
    Section,
    title=st.none() | lines,
    lines=st.lists(lines | quotes, max_size=6).map(tuple),
    weight=st.integers(0, 3),
)


@given(parts=st.lists(sections, max_size=6), room=st.integers(1, 900), whole=st.booleans())
@settings(max_examples=80, deadline=None)
def test_whatever_it_is_it_fits(parts: list[Section], room: int, whole: bool) -> None:
    kept = fit(tuple(parts), room, note=CUT, whole_quotes=whole)
    assert size(kept) <= room
    if size(tuple(parts)) <= room:
        assert kept == tuple(parts)


@given(parts=st.lists(sections, max_size=8), repeated=st.booleans())
@settings(max_examples=40, deadline=None)
def test_every_entity_lies_within_the_text(parts: list[Section], repeated: bool) -> None:
    rendered = render(message(*parts), repeated=repeated)
    length = units(rendered.text)
    assert 0 < length <= TEXT_LIMIT
    for entity in rendered.entities:
        assert entity.length > 0
        assert entity.offset + entity.length <= length
        piece(rendered.text, entity)  # a parted surrogate pair would raise


@given(text=st.text(max_size=60))
def test_units_count_as_utf16_does(text: str) -> None:
    assert units(text) == len(text.encode("utf-16-le", "surrogatepass")) // 2
