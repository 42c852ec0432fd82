"""Texts and markup: what Telegram would refuse is refused with its words, the rest comes out well nested."""

import pytest
from aiogram.types import MessageEntity
from aiogram.utils.text_decorations import html_decoration
from hypothesis import given
from hypothesis import strategies as st

from sandbox.telegram.autolinks import end_of, find_links, start_of
from sandbox.telegram.html_markup import parse_html
from sandbox.telegram.keyboards import check_markup
from sandbox.telegram.texts import FORMATTING_LIMIT, Formatted, checked_url, format_text, untangle
from sandbox.telegram.utf16 import cut, offsets, units
from sandbox.telegram.wire import Json, Refusal


def known_user(number: int) -> Json | None:
    return {"id": 7, "is_bot": False, "first_name": "Иван"} if number == 7 else None


def made(text: str, mode: str = "HTML", entities: object = None) -> Formatted:
    return format_text(text, mode, entities, known_user)


def refused(text: str, mode: str = "HTML", entities: object = None) -> str:
    with pytest.raises(Refusal) as refusal:
        made(text, mode, entities)
    assert refusal.value.status == 400
    return refusal.value.description.removeprefix("Bad Request: ")


def entity(kind: str, offset: int, length: int, **more: object) -> Json:
    return {"type": kind, "offset": offset, "length": length, **more}


@pytest.mark.parametrize(
    ("html", "text", "entities"),
    [
        ("<b>жир</b> и <em>кос</em>", "жир и кос", [entity("bold", 0, 3), entity("italic", 6, 3)]),
        ("<B>a<I>b</I></B>", "ab", [entity("bold", 0, 2), entity("italic", 1, 1)]),
        ("<u>a</u><ins>b</ins>", "ab", [entity("underline", 0, 1), entity("underline", 1, 1)]),
        ("<s>a</s>-<del>b</del>", "a-b", [entity("strikethrough", 0, 1), entity("strikethrough", 2, 1)]),
        ("<tg-spoiler>a</tg-spoiler>", "a", [entity("spoiler", 0, 1)]),
        ("<span class='tg-spoiler'>a</span>", "a", [entity("spoiler", 0, 1)]),
        ("<code>x &lt; 1</code>", "x < 1", [entity("code", 0, 5)]),
        ("<code class=language-py>x</code>", "x", [entity("code", 0, 1)]),
        ('<pre><code class="language-py">x</code></pre>', "x", [entity("pre", 0, 1, language="py")]),
        ("<pre>x</pre>", "x", [entity("pre", 0, 1)]),
        ("<blockquote>a</blockquote>", "a", [entity("blockquote", 0, 1)]),
        ("<blockquote expandable>a</blockquote>", "a", [entity("expandable_blockquote", 0, 1)]),
        ('<a href="https://a.ru/?x=1&amp;y=2">a</a>', "a", [entity("text_link", 0, 1, url="https://a.ru/?x=1&y=2")]),
        ("<a>ya.ru</a>", "ya.ru", [entity("text_link", 0, 5, url="http://ya.ru")]),
        ("<a href='javascript:1'>a</a>", "a", []),
        ("<a href='http://[bad'>a</a>", "a", []),
        ('<a href="tg://user?id=7">a</a>', "a", [entity("text_mention", 0, 1, user=known_user(7))]),
        ('<a href="tg://user?id=8">a</a>', "a", []),
        ('<tg-emoji emoji-id="5">👍</tg-emoji>', "👍", [entity("custom_emoji", 0, 2, custom_emoji_id="5")]),
        ('<tg-time unix="17">t</tg-time>', "t", [entity("date_time", 0, 1, unix_time=17)]),
        (
            '<tg-time unix="17" format="wDt">t</tg-time>',
            "t",
            [entity("date_time", 0, 1, unix_time=17, date_time_format="wDt")],
        ),
        ("<b></b>пусто", "пусто", []),
        ("<b>a</>", "a", [entity("bold", 0, 1)]),
        ("&quot;&#1087;&#x43f;&nbsp;&amp", '"пп&nbsp;&', []),
        ("&#0;&#55296;", "&#0;&#55296;", []),
        ("<b>👍</b><i>x</i>", "👍x", [entity("bold", 0, 2), entity("italic", 2, 1)]),
        ("  \n<b>a</b> \n ", "a", [entity("bold", 0, 1)]),
        ("a<b>b \n</b>", "ab", [entity("bold", 1, 1)]),
        ("a<b> \n</b>", "a", []),
    ],
)
def test_html(html: str, text: str, entities: list[Json]) -> None:
    assert made(html) == Formatted(text=text, entities=tuple(entities))


@pytest.mark.parametrize(
    ("html", "complaint"),
    [
        ("<b>a", "can't parse entities: Can't find end tag corresponding to start tag \"b\""),
        ("a</b>", "can't parse entities: Unexpected end tag at byte offset 1"),
        ("я<b>a</i>", 'can\'t parse entities: Unmatched end tag at byte offset 6, expected "</b>", found "</i>"'),
        ("<table>", 'can\'t parse entities: Unsupported start tag "table" at byte offset 0'),
        ("a < b", "can't parse entities: Unclosed start tag at byte offset 2"),
        ("<< Итог >>", 'can\'t parse entities: Unsupported start tag "<" at byte offset 0'),
        ('<a href="x>a</a>', "can't parse entities: Unclosed start tag at byte offset 0"),
        ("<span>a</span>", 'can\'t parse entities: Tag "span" must have class "tg-spoiler" at byte offset 0'),
        ('<tg-emoji emoji-id="x">a</tg-emoji>', "can't parse entities: Invalid custom emoji identifier specified"),
        ('<tg-time unix="17" format="zz">t</tg-time>', "can't parse entities: Invalid date-time format specified"),
    ],
)
def test_html_that_is_refused(html: str, complaint: str) -> None:
    assert refused(html) == complaint


@pytest.mark.parametrize(
    ("entities", "complaint"),
    [
        ([5], "can't parse MessageEntity: expected an Object"),
        ([{"type": "bold", "length": 1}], "can't parse MessageEntity: Can't find field \"offset\""),
        ([{"type": "bold", "offset": 0, "length": True}], "can't parse MessageEntity: Can't find field \"length\""),
        ([entity("bold", -1, 1)], "receive an entity with incorrect offset -1"),
        ([entity("marquee", 0, 1)], "can't parse MessageEntity: Unsupported type specified"),
        ([entity("text_link", 0, 1)], "can't parse MessageEntity: Can't find field \"url\""),
        ([entity("bold", 1, 1)], "entity begins in a middle of a UTF-16 symbol at UTF-16 offset 1"),
        ([entity("bold", 0, 1)], "entity beginning at UTF-16 offset 0 ends in a middle of a UTF-16 symbol"),
        ([entity("bold", 0, 9)], "entity beginning at UTF-16 offset 0 ends after the end of the text at UTF-16 offset 9"),
        ([entity("bold", 3, 1)], "entity begins after the end of the text at UTF-16 offset 3"),
    ],
)
def test_entities_that_are_refused(entities: object, complaint: str) -> None:
    assert refused("👍x", "", entities) == complaint


def test_other_markup_and_endless_text() -> None:
    assert refused("*a*", "MarkdownV2") == "unsupported parse_mode"
    assert refused("я" * 20_000, "") == "text is too long"
    assert made("a\tb", "").text == "a b"


def test_entities_given_by_the_caller() -> None:
    given = [
        entity("bold", 0, 0),
        entity("url", 0, 3),
        entity("italic", 0, 3),
        entity("pre", 4, 1, language="py"),
        "no list",
    ][:4]
    assert made("один", "none", given[:3]).entities == (entity("italic", 0, 3),)
    assert made("один", "", "not a list").entities == ()
    assert made("abc d", "", given).entities == (entity("italic", 0, 3), entity("pre", 4, 1, language="py"))


def test_a_crossing_is_split_or_dropped() -> None:
    crossing = [entity("bold", 0, 4), entity("italic", 2, 4)]
    assert untangle(crossing) == [entity("bold", 0, 4), entity("italic", 2, 2), entity("italic", 4, 2)]
    assert untangle([entity("bold", 0, 4), entity("code", 2, 4)]) == [entity("bold", 0, 4)]
    assert untangle([entity("code", 0, 4), entity("bold", 1, 1)]) == [entity("code", 0, 4)]
    quotes = [entity("blockquote", 0, 6), entity("expandable_blockquote", 1, 2), entity("text_link", 3, 1)]
    assert untangle(quotes) == [quotes[0], quotes[2]]
    assert untangle([entity("text_link", 0, 4), entity("date_time", 1, 2)]) == [entity("text_link", 0, 4)]


def test_the_server_keeps_a_hundred_formatting_entities() -> None:
    html = " ".join(["<b>a</b>"] * (FORMATTING_LIMIT + 20))
    assert len(made(html).entities) == FORMATTING_LIMIT


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("см. https://svodka.ru/a?b=1.", [("url", "https://svodka.ru/a?b=1")]),
        ("ya.ru и (example.com/x)", [("url", "ya.ru"), ("url", "example.com/x")]),
        ("@ivan_1, a@b.ru", [("mention", "@ivan_1"), ("email", "a@b.ru")]),
        ("/start@svodka_bot x /calls", [("bot_command", "/start@svodka_bot"), ("bot_command", "/calls")]),
        ("a/b 1/2 //x", []),
        ("#важно #1", [("hashtag", "#важно")]),
        ("👍 +7 (999) 123-45-67!", [("phone_number", "+7 (999) 123-45-67")]),
    ],
)
def test_links_found(text: str, found: list[tuple[str, str]]) -> None:
    parts = [(str(one["type"]), cut(text, start_of(one), end_of(one) - start_of(one))) for one in find_links(text)]
    assert parts == found


def test_no_links_inside_code() -> None:
    assert [one["type"] for one in made("<code>/calls</code> /calls").entities] == ["code", "bot_command"]


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("ya.ru", "http://ya.ru"),
        ("tg://resolve?x=1", "tg://resolve?x=1"),
        ("http://localhost/a", None),
        ("http://127.0.0.1:80/a", "http://127.0.0.1:80/a"),
        ("ftp://a.ru", None),
        ("http://a .ru", None),
    ],
)
def test_addresses(url: str, kept: str | None) -> None:
    assert checked_url(url) == kept


texts = st.text(alphabet=st.sampled_from("аб 👍\n<>&x/@#"), max_size=40)


@given(texts)
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        formatted = made(text)
    except Refusal as refusal:
        complaint = refusal.description
    else:
        _check_nested(formatted)
        return
    assert complaint.startswith("Bad Request: can't parse entities")


@given(
    texts,
    st.lists(
        st.tuples(
            st.sampled_from(["bold", "italic", "code", "blockquote", "spoiler"]), st.integers(0, 40), st.integers(0, 40)
        ),
        max_size=6,
    ),
)
def test_any_entities_end_up_nested(text: str, raw: list[tuple[str, int, int]]) -> None:
    entities = [entity(kind, offset, length) for kind, offset, length in raw]
    try:
        formatted = made(text, "", entities)
    except Refusal:
        places = set(offsets(text))
        assert any(
            start_of(one) not in places or end_of(one) not in places or start_of(one) == units(text) for one in entities
        )
        return
    _check_nested(formatted)


def _check_nested(formatted: Formatted) -> None:
    assert formatted.text == formatted.text.strip(" \n")
    places = set(offsets(formatted.text))
    for number, one in enumerate(formatted.entities):
        assert {start_of(one), end_of(one)} <= places
        for other in formatted.entities[number + 1 :]:
            apart = end_of(one) <= start_of(other)
            assert apart or end_of(other) <= end_of(one)


@given(st.text(alphabet="ab<>&\"'👍", min_size=1, max_size=30))
def test_what_aiogram_writes_as_html_is_read_back(text: str) -> None:
    bold = MessageEntity(type="bold", offset=0, length=units(text))
    assert parse_html(html_decoration.unparse(text, [bold])) == (text, [entity("bold", 0, units(text))])


@pytest.mark.parametrize(
    ("markup", "complaint"),
    [
        (5, "object expected as reply markup"),
        ({"what": 1}, "can't parse reply keyboard markup JSON object"),
        ({"inline_keyboard": 5}, 'field "inline_keyboard" must be of type Array'),
        ({"inline_keyboard": [5]}, 'field "inline_keyboard" must be an Array of Arrays'),
        ({"inline_keyboard": [[5]]}, "can't parse inline keyboard button: InlineKeyboardButton must be an Object"),
        ({"inline_keyboard": [[{"callback_data": "x"}]]}, "can't parse inline keyboard button: Can't find field \"text\""),
        (
            {"inline_keyboard": [[{"text": "a"}]]},
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
        ),
        (
            {"inline_keyboard": [[{"text": "a", "url": "ya.ru", "callback_data": "x"}]]},
            "can't parse inline keyboard button: url and callback_data exclude each other",
        ),
        (
            {"inline_keyboard": [[{"text": "a", "callback_data": "x", "style": "pink"}]]},
            "can't parse inline keyboard button: invalid button style specified",
        ),
        ({"inline_keyboard": [[{"text": "a", "callback_data": ""}]]}, "BUTTON_DATA_INVALID"),
        ({"inline_keyboard": [[{"text": "a", "callback_data": "я" * 33}]]}, "BUTTON_DATA_INVALID"),
        (
            {"inline_keyboard": [[{"text": "a", "url": "http://localhost"}]]},
            "inline keyboard button URL 'http://localhost' is invalid: Wrong HTTP URL",
        ),
        ({"inline_keyboard": [[{"text": "a", "copy_text": {"text": ""}}]]}, "BUTTON_COPY_TEXT_INVALID"),
        (
            {"inline_keyboard": [[{"text": "a", "web_app": {"url": "http://a.ru"}}]]},
            "inline keyboard button Web App URL 'http://a.ru' is invalid: Only HTTPS links are allowed",
        ),
        ({"inline_keyboard": [[{"text": "a", "web_app": {"url": "https://a.ru"}}]]}, "BUTTON_TYPE_INVALID"),
        ({"inline_keyboard": [[{"text": "a", "callback_data": "x"}] * 9]}, "reply markup is too long"),
        ({"inline_keyboard": [[{"text": "a", "callback_data": "x"}] * 5] * 21}, "reply markup is too long"),
        ({"keyboard": [[{}]]}, "can't parse keyboard button: KeyboardButton must be a String or an Object"),
    ],
)
def test_keyboards_that_are_refused(markup: object, complaint: str) -> None:
    with pytest.raises(Refusal, match="Bad Request") as refusal:
        check_markup(markup, private=False, inline_only=False)
    assert refusal.value.description == f"Bad Request: {complaint}"


def test_keyboards_that_are_taken() -> None:
    buttons = [
        {"text": "a", "callback_data": "я" * 32, "style": "danger"},
        {"text": "b", "disabled": {}},
        {"text": "c", "url": "https://a.ru"},
        {"text": "d", "copy_text": {"text": "7"}},
        {"text": "e", "switch_inline_query_current_chat": ""},
    ]
    assert check_markup({"inline_keyboard": [buttons, []]}, private=False, inline_only=True) == {
        "inline_keyboard": [buttons]
    }
    app = {"inline_keyboard": [[{"text": "a", "web_app": {"url": "https://a.ru"}}]]}
    assert check_markup(app, private=True, inline_only=False) == app
    assert check_markup({"inline_keyboard": []}, private=True, inline_only=True) is None
    assert check_markup({}, private=True, inline_only=True) is None
    assert check_markup({"keyboard": [["Да", {"text": "Нет"}]]}, private=True, inline_only=False) is not None
    with pytest.raises(Refusal, match="inline keyboard expected"):
        check_markup({"force_reply": True}, private=True, inline_only=True)
