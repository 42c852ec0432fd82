"""What a registration sets off: once, whatever repeats and whatever breaks; words that a person sends, never the bot."""

from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import unquote

import pytest

from domain.errors import VendorUnavailable
from domain.messages import Message, as_text
from domain.webinars import Reaction
from handlers.webinars.reactions import Entrant, client_card, filled, unknown_placeholders
from handlers.webinars.registering import register_person, registered
from tests.calls.world import Crash, MemorySteps
from tests.webinars.test_registering import REGISTRATION, asked, heard, links
from tests.webinars.world import World

RULE = Reaction(message="Здравствуйте, {имя}! Ждём вас {дата} в {время}.", status="Записан", source="crm", lead="42")
ONE = Entrant(
    row_id=1,
    name="Мария Кузнецова",
    email="m@p.ru",
    phone="79991234567",
    session_at=datetime(2026, 12, 5, 16, tzinfo=UTC),
    title="Открытый урок",
)


def card(world: World) -> Message:
    (message,) = [message for key, message in world.posts.items() if key.startswith("reaction:")]
    return message


async def test_a_registration_brings_a_card_with_words_and_ways_to_say_them(world: World) -> None:
    world.rules.rule = RULE
    await registered(heard(world), MemorySteps(), world.services())
    words = "Здравствуйте, Иван! Ждём вас 27 ноября в 12:00."
    assert as_text(card(world)).splitlines() == [
        "✉️ Написать клиенту",
        "• Иван Петров, i@p.ru",
        "• Открытый урок, 27 ноября 12:00",
        "• статус лида: Записан",
        words,
        "Написать: WhatsApp · Telegram",
        "Позвонить: +7 999 123-45-67",
    ]
    whatsapp, telegram = links(card(world))
    assert whatsapp.startswith("https://wa.me/79991234567?text=")
    assert unquote(telegram) == f"https://t.me/+79991234567?text={words}"
    assert [button.target for row in card(world).buttons for button in row] == [words]
    assert world.funnel.moved == [("42", "Записан")]


async def test_without_a_rule_only_the_team_is_told(world: World) -> None:
    await registered(heard(world), MemorySteps(), world.services())
    assert [key.partition(":")[0] for key in world.posts] == ["registrations"]
    assert world.funnel.moved == []


@pytest.mark.parametrize("kept", range(5))
async def test_a_crash_after_any_step_sets_it_off_once(world: World, kept: int) -> None:
    world.rules.rule = RULE
    steps = MemorySteps(die_after=kept)
    with pytest.raises(Crash):
        await registered(heard(world), steps, world.services())
    steps.die_after = None
    await registered(heard(world), steps, world.services())
    assert list(steps.results) == ["keep", "page", "post:note", "react", "move"]
    assert len([key for key in world.posts if key.startswith("reaction:")]) == 1
    assert len([one for one in world.revisions if one.key.startswith("reaction:")]) == 1


async def test_the_crm_that_is_away_is_told_later_and_the_card_does_not_wait(world: World) -> None:
    world.rules.rule = RULE
    world.funnel.away = 1
    steps = MemorySteps()
    with pytest.raises(VendorUnavailable):
        await registered(heard(world), steps, world.services())
    assert card(world)
    await registered(heard(world), steps, world.services())
    assert world.funnel.moved == [("42", "Записан")]
    assert len([one for one in world.revisions if one.key.startswith("reaction:")]) == 1


async def test_a_lead_of_no_crm_is_moved_here_alone(world: World) -> None:
    world.rules.rule = replace(RULE, source="import")
    await registered(heard(world), MemorySteps(), world.services())
    assert world.funnel.moved == []


async def test_whom_the_team_registers_is_reacted_to_as_well(world: World) -> None:
    world.rules.rule = RULE
    await register_person(asked(world), MemorySteps(), world.services())
    assert "Здравствуйте, Иван!" in as_text(card(world))


async def test_without_a_phone_it_is_said_how_else(world: World) -> None:
    world.rules.rule = RULE
    await registered(heard(world, replace(REGISTRATION, phone="")), MemorySteps(), world.services())
    assert "Телефона нет: напишите на почту." in as_text(card(world))
    assert links(card(world)) == []


@pytest.mark.parametrize(
    ("message", "name", "words"),
    [
        ("Здравствуйте, {имя}! Вебинар «{вебинар}»", "Мария К", "Здравствуйте, Мария! Вебинар «Открытый урок»"),
        ("Здравствуйте, {имя}! {Дата}, {время}", "", "Здравствуйте! 5 декабря, 19:00"),
        ("Здравствуйте, {имя}!", "m@p.ru", "Здравствуйте!"),
        ("Скидка {20 %}", "Мария", "Скидка {20 %}"),
    ],
)
def test_words_are_filled_and_leave_no_holes(world: World, message: str, name: str, words: str) -> None:
    assert filled(message, replace(ONE, name=name), world.services()) == words


def test_a_session_that_is_not_known_leaves_no_hole(world: World) -> None:
    assert filled("Ждём {дата} {время}", replace(ONE, session_at=None), world.services()) == "Ждём"


def test_what_nobody_fills_in_is_found() -> None:
    assert unknown_placeholders("{имя} {Вебинар} {ссылка} {}") == ["ссылка", ""]


def test_words_too_long_for_an_address_are_copied_by_hand(world: World) -> None:
    message = client_card(ONE, replace(RULE, message="я" * 1000), world.services())
    assert links(message) == ["https://wa.me/79991234567", "https://t.me/+79991234567"]
    assert message.buttons == ()
