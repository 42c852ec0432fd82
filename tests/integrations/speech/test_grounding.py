"""Statements are proven by the transcript, or marked."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calls import (
    Amount,
    CallKind,
    Evidence,
    Point,
    Quality,
    Segment,
    Summary,
    SummarySource,
    Task,
    Transcript,
)
from integrations.kit.speech.dates import mentioned_dates
from integrations.kit.speech.grounding import Ground, ground

HELD = datetime(2026, 11, 18, 12, 0, tzinfo=ZoneInfo("Europe/Moscow"))  # a Wednesday
TALK = (
    "Генеральная уборка стоит сто пятьдесят рублей за метр, получается восемнадцать тысяч рублей.",
    "Бригадир Марина перезвонит вам в пятницу до двенадцати часов.",
    "Отправлю сегодня до шести вечера, а созвонимся в четверг в три часа.",
    "Мы не вернём вам деньги, и мой номер восемь девятьсот двенадцать триста сорок пять шестьдесят семь восемьдесят девять.",
    "Хотелось бы в субботу, двадцать первого ноября, или через две недели.",
    "Приезжайте полтретьего, дом 12.",
)


def transcript(*texts: str, timed: bool = True) -> Transcript:
    segments = tuple(Segment(start=i * 10.0, end=i * 10.0 + 9, text=text) for i, text in enumerate(texts))
    return Transcript(segments=segments, language="ru", model="m", timed=timed, duration_s=99.0, quality=Quality())


@pytest.fixture
def proof() -> Ground:
    return Ground(transcript(*TALK), HELD)


@pytest.mark.parametrize(
    ("quote", "at"),
    [
        ("получается восемнадцать тысяч рублей", 0.0),
        ("получается 18 тысяч рублей", 0.0),
        ("бригадир Марина перезвонит вам в пятницу", 10.0),
        ("бригадир марина перезвонет вам в пятницу", 10.0),
        ("в три часа", 20.0),
        ("до двенадцати часов. Отправлю сегодня", 10.0),
    ],
)
def test_a_quote_is_found_with_its_time(proof: Ground, quote: str, at: float) -> None:
    assert proof.find(quote) == Evidence(quote=quote, at=at, confirmed=True)


@pytest.mark.parametrize(
    "quote",
    [
        "я лично верну вам все деньги завтра утром",
        "мы вернём вам деньги",
        "перезвонит вам в субботу до пяти часов",
        "",
        "да",
        "х" * 2000,
    ],
)
def test_an_invented_quote_is_not_confirmed(proof: Ground, quote: str) -> None:
    assert not proof.find(quote).confirmed


def test_a_quote_with_another_number_is_not_confirmed(proof: Ground) -> None:
    evidence = proof.find("перезвонит вам в пятницу до четырнадцати часов")
    assert (evidence.at, evidence.confirmed) == (10.0, False)


def test_without_times_there_is_no_time() -> None:
    evidence = Ground(transcript(*TALK, timed=False), HELD).find("бригадир Марина перезвонит")
    assert (evidence.at, evidence.confirmed) == (None, True)


@pytest.mark.parametrize(
    "statement",
    [
        "150 рублей за метр, всего 18 000",
        "восемнадцать тысяч",
        "в пятницу до 12:00",
        "сегодня до 18:00, четверг 15:00",
        "20.11.2026 и 20 ноября",
        "в субботу, 21.11",
        "2026-11-21",
        "2 декабря",
        "телефон +7 912 345-67-89",
        "в 14:30 или 2:30",
        "одна просьба из двух",
        "1. Перезвонить\n2) Отправить",
        "сегодня, 18 ноября",
    ],
)
def test_numbers_that_were_said_or_follow(proof: Ground, statement: str) -> None:
    assert proof.unsaid(statement) == ()


@pytest.mark.parametrize(
    ("statement", "missing"),
    [
        ("скидка 77 процентов", ("77",)),
        ("пятьдесят тысяч рублей", ("пятьдесят тысяч",)),
        ("до 13:00", ("13:00",)),
        ("до 18:45", ("18:45",)),
        ("25.11.2026", ("25.11.2026",)),
        ("25 ноября", ("25 ноября",)),
        ("2019-11-21", ("2019-11-21",)),
        ("телефон 89990001122", ("89990001122",)),
        ("5 раз и 5 дней", ("5",)),
    ],
)
def test_numbers_that_were_not_said(proof: Ground, statement: str, missing: tuple[str, ...]) -> None:
    assert proof.unsaid(statement) == missing


@pytest.mark.parametrize(
    ("day", "follows"),
    [
        (date(2026, 11, 20), True),
        (date(2026, 11, 18), True),
        (date(2026, 11, 19), True),
        (date(2026, 11, 21), True),
        (date(2026, 12, 2), True),
        (date(2026, 11, 23), False),
        (date(2026, 12, 24), False),
    ],
)
def test_due_dates(proof: Ground, day: date, follows: bool) -> None:
    assert proof.due(day) is follows


def summary(**parts: object) -> Summary:
    base = {"source": SummarySource.MODEL, "meaningful": True, "kind": CallKind.SALE, "text": "Уборка за 18 000 рублей."}
    return Summary(**(base | parts))  # type: ignore[arg-type]


def said(quote: str) -> Evidence:
    return Evidence(quote=quote, at=None, confirmed=False)


def test_a_summary_is_checked_piece_by_piece() -> None:
    made = ground(
        summary(
            text="Уборка за 18 000 рублей, скидка 77 %.",
            points=(Point(text="Перезвонят до 12:00", evidence=said(TALK[1])), Point(text="Вернут деньги завтра утром")),
            questions=(Point(text="Когда приедут", evidence=said("когда же вы наконец приедете")),),
            dates=(Point(text="21 ноября", evidence=said("в субботу, двадцать первого ноября")),),
            client_request=Point(text="В субботу", evidence=said("Хотелось бы в субботу")),
            address=Point(text="дом 14", evidence=said("Приезжайте полтретьего, дом 12")),
            tasks=(
                Task(what="Перезвонить", due_date=date(2026, 11, 20), due_time="12:00", evidence=said(TALK[1])),
                Task(what="Перезвонить", due_date=date(2026, 11, 24), evidence=said(TALK[1])),
                Task(what="Вернуть деньги", evidence=said("я лично верну вам все деньги")),
                Task(what="Без цитаты"),
            ),
            amounts=(
                Amount(value_rub=18000, evidence=said("получается восемнадцать тысяч рублей")),
                Amount(value_rub=17000, evidence=said("получается восемнадцать тысяч рублей")),
                Amount(value_rub=18000),
            ),
        ),
        transcript(*TALK),
        HELD,
    )
    assert made.unconfirmed_numbers == ("77",)
    assert [p.evidence and p.evidence.confirmed for p in made.points] == [True, False]
    assert [p.evidence and p.evidence.confirmed for p in made.questions] == [False]
    assert [(p.evidence and p.evidence.at) for p in made.dates] == [40.0]
    assert made.client_request is not None
    assert made.client_request.evidence == Evidence(quote="Хотелось бы в субботу", at=40.0, confirmed=True)
    assert made.address is not None
    assert made.address.evidence is not None
    assert not made.address.evidence.confirmed
    assert [t.evidence and t.evidence.confirmed for t in made.tasks] == [True, False, False, False]
    assert [a.evidence and a.evidence.confirmed for a in made.amounts] == [True, False, False]


def test_nothing_to_check() -> None:
    made = ground(summary(text="Клиент ошибся номером."), transcript(), HELD)
    assert (made.unconfirmed_numbers, made.client_request, made.address) == ((), None, None)


@given(st.text(max_size=120), st.text(max_size=120))
def test_total(talk: str, statement: str) -> None:
    assert Ground(transcript(talk), HELD).prove(statement, statement).quote == statement


WORDS = ["пять", "двадцать", "сто", "тысяч", "третьего", "рублей", "12", "18 000", "1,5", "завтра", "10:30", "не", "полтора"]


@given(st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join))
def test_what_was_said_is_always_confirmed(talk: str) -> None:
    proof = Ground(transcript("алло", talk), HELD)
    assert proof.unsaid(talk) == ()
    assert proof.find(talk).confirmed is bool(talk)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("в среду", date(2026, 11, 25)),
        ("в следующую среду", date(2026, 12, 2)),
        ("в прошлый понедельник", date(2026, 11, 16)),
        ("послезавтра", date(2026, 11, 20)),
        ("вчера", date(2026, 11, 17)),
        ("через три дня", date(2026, 11, 21)),
        ("через неделю", date(2026, 11, 25)),
        ("через месяц", date(2026, 12, 18)),
        ("в воскресенье", date(2026, 11, 22)),
    ],
)
def test_days_that_speech_may_mean(text: str, day: date) -> None:
    assert day in mentioned_dates(text, HELD.date())


@pytest.mark.parametrize("text", ["средний срок", "через 900 дней", "субботник", "алло"])
def test_days_that_speech_does_not_mean(text: str) -> None:
    assert len(mentioned_dates(text, HELD.date())) <= 4
