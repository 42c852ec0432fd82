"""Forms as Tilda sends them: whose they are, who may send them, and what of them is kept."""

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import BadSignature, ConfigError, TooLarge
from domain.events import LeadsChanged
from domain.leads import Lead
from domain.webhooks import Delivery, Parsed, record
from integrations.tilda.cookies import utm_in
from integrations.tilda.fake import cookie_of
from integrations.tilda.settings import read_settings
from integrations.tilda.webhook import MAX_BODY, Receiver
from storage.codec import dumps

SECRET = "tilda-secret-0123456789abcdef"
AT = datetime(2026, 11, 20, 12, 0, 5, tzinfo=UTC)


def receiver(**env: str) -> Receiver:
    settings = read_settings({"TILDA_SECRET": SECRET} | env)
    assert settings is not None
    return Receiver(settings)


def post(body: bytes, path: str = f"/hooks/tilda/{SECRET}", *, query: str = "", **headers: str) -> Delivery:
    return Delivery(method="POST", path=path, query=query, headers=headers, body=body, received_at=AT)


def form(**fields: str) -> bytes:
    return urlencode(fields).encode()


def parsed(body: bytes) -> Parsed:
    return receiver().parse(post(body))


def lead(body: bytes) -> Lead:
    (event,) = parsed(body).events
    assert isinstance(event, LeadsChanged)
    (only,) = event.leads
    return only


def problem(body: bytes) -> str:
    (event,) = parsed(body).events
    assert isinstance(event, LeadsChanged)
    return event.problem


@pytest.mark.parametrize(
    ("path", "query", "headers", "body"),
    [
        (f"/hooks/tilda/{SECRET}", "", {}, b"Phone=1"),
        ("/hooks/tilda", f"token={SECRET}", {}, b"Phone=1"),
        ("/hooks/tilda", f"Token={SECRET}", {}, b"Phone=1"),
        ("/hooks/tilda", "", {"authorization": f"Bearer {SECRET}"}, b"Phone=1"),
        ("/hooks/tilda", "", {"authorization": f"bearer  {SECRET}"}, b"Phone=1"),
        ("/hooks/tilda", "", {"authorization": SECRET}, b"Phone=1"),
        ("/hooks/tilda", "", {"x-api-key": SECRET}, b"Phone=1"),
        ("/hooks/tilda", "", {}, f"Phone=1&API_KEY={SECRET}".encode()),
        ("/hooks/tilda", "", {}, json.dumps({"Phone": "1", "token": SECRET}).encode()),
    ],
)
def test_the_key_may_be_in_any_of_its_places_and_only_there(
    path: str, query: str, headers: dict[str, str], body: bytes
) -> None:
    receiver().verify(post(body, path, query=query, **headers))
    with pytest.raises(BadSignature):
        receiver(TILDA_SECRET="another").verify(post(body, path, query=query, **headers))
    receiver(TILDA_SECRET=f"newer,{SECRET}").verify(post(body, path, query=query, **headers))
    assert SECRET.encode() not in record(receiver().redact(post(body, path, query=query, **headers)))


def test_names_of_the_key_are_a_setting() -> None:
    renamed = receiver(TILDA_KEY_NAME="X-Site-Key, sign")
    renamed.verify(post(b"", "/hooks/tilda", **{"x-site-key": SECRET}))
    renamed.verify(post(form(sign=SECRET), "/hooks/tilda"))
    with pytest.raises(BadSignature):
        renamed.verify(post(form(token=SECRET), "/hooks/tilda"))


@pytest.mark.parametrize("wrong", ["", "tilda", "\udcff", "ф" * 29])
def test_a_stranger_is_refused(wrong: str) -> None:
    with pytest.raises(BadSignature):
        receiver().verify(post(b"test=test", f"/hooks/tilda/{wrong}", authorization=wrong, **{"x-api-key": wrong}))


def test_the_probe_proves_itself_too_and_is_not_kept() -> None:
    with pytest.raises(BadSignature):
        receiver().verify(post(b"test=test", "/hooks/tilda"))
    receiver().verify(post(f"test=test&token={SECRET}".encode(), "/hooks/tilda"))
    assert parsed(b"test=test").probe
    assert parsed(b'{"test": "test"}').probe
    assert receiver().parse(post(f"test=test&token={SECRET}".encode())).probe
    assert not parsed(b"test=test&Phone=89991234567").probe


def test_a_form_is_64_kib_at_most() -> None:
    receiver().verify(post(b"a" * MAX_BODY))
    with pytest.raises(TooLarge):
        receiver().verify(post(b"a" * (MAX_BODY + 1)))


@pytest.mark.parametrize("name", ["phone", "PHONE", "Phone_2", "Tel", "Телефон", "Ваш телефон *", "Input_3", "Textarea"])
def test_a_phone_is_found_under_any_of_its_names(name: str) -> None:
    assert lead(form(**{name: "8 999 123-45-67"})).phone == "8 999 123-45-67"


def test_of_two_phones_the_one_that_can_be_read_counts() -> None:
    assert lead(form(Phone="нет", Phone_2="89991234567")).phone == "89991234567"
    assert lead(form(Input="Казань", Phone="нет", Input_2="89991234567")).phone == "89991234567"


@pytest.mark.parametrize("name", ["email", "E-Mail", "EMAIL_4", "Почта", "Input"])
def test_an_email_is_found_under_any_of_its_names(name: str) -> None:
    assert lead(form(**{name: "Ivan@Example.ru"})).email == "Ivan@Example.ru"


def test_a_name_may_be_in_two_fields_and_what_is_left_is_kept() -> None:
    one = lead(form(Name="Иван", Surname="Петров", Phone="89991234567", Comments="после 18", tranid="1:2", formid="f"))
    assert (one.name, one.form, one.extra) == ("Иван Петров", "f", (("Comments", "после 18"),))


def test_hidden_fields_win_over_the_cookie() -> None:
    cookies = f"a=1; {cookie_of({'source': 'vk', 'campaign': 'осень'})}"
    assert lead(form(Phone="89991234567", COOKIES=cookies)).first.campaign == "осень"
    both = lead(form(Phone="89991234567", COOKIES=cookies, utm_source="yandex"))
    assert (both.first.source, both.first.campaign, both.first == both.last) == ("yandex", "", True)
    empty = lead(form(Phone="89991234567", COOKIES=cookies, utm_source="", utm_campaign=""))
    assert empty.first.source == "vk"


PAIRS = st.dictionaries(
    st.sampled_from(["source", "medium", "campaign", "term", "content"]),
    st.text("abcя 1_-", min_size=1).map(str.strip).filter(bool),
    min_size=1,
)


@given(pairs=PAIRS, times=st.integers(0, 2), amp=st.booleans(), last=st.booleans())
def test_the_cookie_is_read_however_often_it_is_coded(pairs: dict[str, str], times: int, amp: bool, last: bool) -> None:
    between = "|||amp;" if amp else "|||"
    value = between.join(f"utm_{name}={text}" for name, text in pairs.items()) + (between if last else "")
    for _ in range(times):
        value = quote(value, safe="")
    assert utm_in(f"_ga=GA1; TILDAUTM={value}; PHPSESSID=x") == pairs


def test_other_cookies_and_keys_are_dropped_before_anything_is_stored() -> None:
    cookies = f"PHPSESSID=hidden-session; {cookie_of({'source': 'vk'})}; _fbp=hidden-person"
    for body in (
        form(Phone="89991234567", COOKIES=cookies, token=SECRET),
        form(Phone="89991234567", Cookies=quote(cookies), note=SECRET),
        json.dumps({"Phone": "89991234567", "cookies": cookies, "token": SECRET}).encode(),
        b"{" + form(Phone="89991234567", COOKIES=cookies),
        b'{"Phone": "1", "COOKIES": "' + cookies.encode(),
    ):
        kept = receiver().redact(post(body, cookie="PHPSESSID=hidden-session"))
        assert b"hidden" not in record(kept)
        assert SECRET.encode() not in record(kept)
        if body[:1] == b"P":
            assert receiver().parse(kept).events[0] == parsed(body.replace(SECRET.encode(), b"***")).events[0]


def test_the_same_form_twice_has_one_key() -> None:
    assert parsed(form(tranid="1:2", Phone="1")).dedup_key == parsed(form(Phone="1", x="2", TRANID="1:2")).dedup_key
    without, again = form(Phone="1", Name="x"), form(Name="x", Phone="1", COOKIES="session=2")
    assert parsed(without).dedup_key == parsed(again).dedup_key != parsed(form(Phone="2", Name="x")).dedup_key
    later = Delivery(method="POST", path="/", query="", headers={}, body=without, received_at=AT + timedelta(minutes=1))
    assert receiver().parse(later).dedup_key != parsed(without).dedup_key


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", "body"),
        (b"{", "body"),
        (b"[]", "body"),
        (b"null", "body"),
        (b"nobody=knows", "contact"),
        (b"&".join(b"a%d=1" % n for n in range(400)), "body"),
        (form(Phone="нет", Name="Тест"), "contact"),
        (form(Phone="8 999 123-45-67"), ""),
        (form(Email="ivan@example.ru"), ""),
    ],
)
def test_what_cannot_be_used_is_an_event_for_a_person(body: bytes, expected: str) -> None:
    assert problem(body) == expected


@pytest.mark.parametrize(
    ("env", "variable"),
    [
        ({"TILDA_KEY_NAME": "token"}, "TILDA_SECRET"),
        ({"TILDA_SECRET": "секрет"}, "TILDA_SECRET"),
        ({"TILDA_SECRET": "a/b"}, "TILDA_SECRET"),
        ({"TILDA_SECRET": "good", "TILDA_KEY_NAME": "ключ"}, "TILDA_KEY_NAME"),
    ],
)
def test_a_wrong_setting_is_named(env: dict[str, str], variable: str) -> None:
    with pytest.raises(ConfigError) as error:
        read_settings(env)
    assert error.value.variable == variable


@pytest.mark.parametrize("name", ["\ud800", "\u0000поле", "payment"])
def test_a_name_that_no_database_holds_loses_no_form(name: str) -> None:
    body = {"Phone": "+79991234567", name: {"\udfff": "1"}, "COOKIES": "TILDAUTM=utm_source=vk\ud800|||"}
    (event,) = parsed(json.dumps(body).encode()).events
    assert dumps(LeadsChanged, event).isprintable()
