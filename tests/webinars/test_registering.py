"""Registrations heard of and asked for: one note a day, one subscriber per asking, an answer whatever happens."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from domain.errors import VendorRefused, VendorUnavailable
from domain.events import RegistrationAsked, WebinarRegistered
from domain.messages import Destination, Message, as_text, iter_lines
from domain.webinars import MatchedBy, PageId, Registrant, Registration, RegistrationRequest
from domain.work import WorkItem
from handlers.webinars.notes import RegisteredNote, note, short_name
from handlers.webinars.registering import register_person, registered
from tests.calls.world import Crash, MemorySteps
from tests.webinars.world import World

PAGE = PageId("111222:page")
SESSION = datetime(2026, 11, 27, 9, tzinfo=UTC)
REGISTRATION = Registration(sublist_id=PAGE, name="Иван Петров", phone="8 999 123 45 67", email="i@p.ru", session_at=SESSION)
REQUEST = RegistrationRequest(page_id=PAGE, email="i@p.ru", at=SESSION, name="Иван Петров", phone="79991234567")
ASKED = RegistrationAsked(
    vendor="bizon365", external_id="k", occurred_at=None, request=REQUEST, asked_by=77, chat_id=77, title="Открытый урок"
)
GROUP = -100


def heard(world: World, registration: Registration = REGISTRATION, number: int = 1) -> WorkItem[WebinarRegistered]:
    event = WebinarRegistered(vendor="bizon365", external_id=f"r{number}", occurred_at=None, registration=registration)
    return WorkItem(
        id=number, account_id=1, kind="registration", object=f"bizon365:r{number}", generation=1, event=event, source="hook",
        delivery_id=None, heard_at=world.clock.now(), failures=0,
    )  # fmt: skip


def asked(world: World, event: RegistrationAsked = ASKED) -> WorkItem[RegistrationAsked]:
    return WorkItem(
        id=1, account_id=1, kind="register", object="bizon365:k", generation=1, event=event, source="chat",
        delivery_id=None, heard_at=world.clock.now(), failures=0,
    )  # fmt: skip


def said(world: World) -> str:
    ((place, message),) = world.answers.values()
    assert place.chat_id == 77
    return as_text(message)


def links(message: Message) -> list[str]:
    return [span.target for line in iter_lines(message) for span in line.spans if span.target]


async def test_in_a_group_the_note_tells_who_and_carries_no_contacts(world: World) -> None:
    known = Registrant(
        id=1, name="Иван Петров", email="i@p.ru", phone="79991234567", other="Анна Сергеевна Белова", registered_at=SESSION
    )  # fmt: skip
    view = RegisteredNote(title="Урок", total=1, newest=(known,), timezone=world.services().timezone)
    message = note(view, world.services().texts, key="k", private=False)
    text = as_text(message)
    assert "• Иван П., +7 999 ···-··-67\n" in text
    assert "Анна С." in text
    assert not any(word in text for word in ("1234567", "123-45-67", "@", "Петров", "Сергеевна"))
    assert links(message) == []
    assert [button.target for row in message.buttons for button in row] == ["regs:0"]
    await registered(heard(world), MemorySteps(), world.services())
    (shared,) = world.posts.values()
    assert "• Иван П., +7 999 ···-··-67\n" in as_text(shared)


async def test_what_is_no_address_is_named_and_nobody_is_written_to_by_it(world: World) -> None:
    await registered(heard(world, replace(REGISTRATION, email="x@", phone="")), MemorySteps(), world.services())
    (shared,), (own,) = world.posts.values(), world.own.values()
    assert "вместо почты — не адрес, считаем, что почты нет" in as_text(shared)
    assert "x@" not in as_text(shared)
    assert "• Иван Петров, x@\n" in as_text(own)


async def test_a_registration_becomes_a_note_with_ways_to_write(world: World) -> None:
    await registered(heard(world), MemorySteps(), world.services())
    (message,) = world.own.values()
    assert as_text(message).splitlines() == [
        "📝 Запись на вебинар",
        "Открытый урок",
        "• Иван Петров, +7 999 123-45-67, i@p.ru",
        "на 27.11 12:00 · новый человек",
        "Написать: WhatsApp · Telegram",
    ]
    assert links(message) == ["https://wa.me/79991234567", "https://t.me/+79991234567"]
    assert message.kind == "registration"


async def test_many_registrations_of_a_day_are_one_message(world: World) -> None:
    for number in range(40):
        await registered(
            heard(world, replace(REGISTRATION, name=f"Гость {number}"), number), MemorySteps(), world.services()
        )
    (message,) = world.own.values()
    text = as_text(message)
    assert "За день записались: 40" in text
    assert [f"Гость {number}" in text for number in (39, 35, 34)] == [True, True, False]
    assert "И ещё раньше сегодня: 35" in text
    world.clock.forward(24 * 3600)
    await registered(heard(world, number=41), MemorySteps(), world.services())
    assert len(world.posts) == 2


@pytest.mark.parametrize(
    ("known", "registration", "said_"),
    [
        ({"79991234567": MatchedBy.PHONE, "i@p.ru": MatchedBy.EMAIL}, REGISTRATION, "нашёлся по телефону"),
        ({"i@p.ru": MatchedBy.EMAIL}, REGISTRATION, "нашёлся по почте"),
        ({}, REGISTRATION, "новый человек"),
        ({}, replace(REGISTRATION, phone=""), "не найден: нет телефона"),
    ],
)
async def test_it_is_said_how_they_were_found(
    world: World, known: dict[str, MatchedBy], registration: Registration, said_: str
) -> None:
    world.registrations.known = known
    await registered(heard(world, registration), MemorySteps(), world.services())
    (message,) = world.posts.values()
    assert said_ in as_text(message)


async def test_why_nobody_was_made_is_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    await registered(heard(world, replace(REGISTRATION, phone="+7911111111")), MemorySteps(), world.services())
    assert "No matching lead for a registration, phone —: nothing is made, there is no phone" in caplog.text
    await registered(heard(world, number=2), MemorySteps(), world.services())
    assert "No matching lead for a registration, phone +7 999 ···-··-67: a new person" in caplog.text


async def test_a_platform_that_is_away_costs_the_pages_name_and_not_the_note(world: World) -> None:
    world.fails["pages"] = [VendorUnavailable("bizon365", "getSubpages", "503")]
    await registered(heard(world), MemorySteps(), world.services())
    (message,) = world.posts.values()
    assert "111222:page" in as_text(message)


async def test_asking_registers_and_gives_the_personal_link(world: World) -> None:
    steps = MemorySteps()
    await register_person(asked(world), steps, world.services())
    assert list(steps.results) == ["register", "post:done", "react"]
    assert world.requested == [REQUEST]
    assert world.registrations.links == ["https://start.example/room?u=1"]
    ((_, message),) = world.answers.values()
    assert "✅ Записан" in said(world)
    assert "27.11.2026 12:00" in said(world)
    assert [button.target for row in message.buttons for button in row] == ["https://start.example/room?u=1"] * 2


async def test_one_that_was_registered_before_the_crash_is_found(world: World) -> None:
    world.dies = True
    steps = MemorySteps()
    with pytest.raises(Crash):
        await register_person(asked(world), steps, world.services())
    await register_person(asked(world), steps, world.services())
    assert world.requested == [REQUEST]
    assert world.seen["find_subscriber"] == 1
    assert "✅ Записан" in said(world)
    assert "личную ссылку платформа повторно не даёт" in said(world)


@pytest.mark.parametrize("kept", range(2))
async def test_a_crash_after_any_step_registers_once(world: World, kept: int) -> None:
    steps = MemorySteps(die_after=kept)
    with pytest.raises(Crash):
        await register_person(asked(world), steps, world.services())
    steps.die_after = None
    await register_person(asked(world), steps, world.services())
    assert len(world.requested) == 1
    assert "✅ Записан" in said(world)


async def test_who_asked_is_told_of_a_platform_that_is_away_and_of_its_return(world: World) -> None:
    world.fails["register"] = [VendorUnavailable("bizon365", "addSubscriber", "503")]
    steps = MemorySteps()
    with pytest.raises(VendorUnavailable):
        await register_person(asked(world), steps, world.services())
    assert "Платформа не отвечает" in said(world)
    await register_person(asked(world), steps, world.services())
    assert "✅ Записан" in said(world)


async def test_who_asked_is_told_why_it_was_refused(world: World) -> None:
    world.fails["register"] = [VendorRefused("bizon365", "addSubscriber", "bad_time", hint="Такого времени у страницы нет.")]
    with pytest.raises(VendorRefused):
        await register_person(asked(world), MemorySteps(), world.services())
    assert "Не записан" in said(world)
    assert "Такого времени у страницы нет." in said(world)


async def test_a_second_refusal_is_said_again(world: World) -> None:
    steps, refusal = MemorySteps(), VendorRefused("bizon365", "addSubscriber", "bad_time", hint="Нет такого времени.")
    for _ in range(2):
        world.answers.clear()  # «Записываю» stands there since the press
        world.fails["register"] = [refusal]
        with pytest.raises(VendorRefused):
            await register_person(asked(world), steps, world.services())
        assert "Не записан" in said(world)


async def test_asked_in_a_group_the_link_and_the_contacts_go_to_who_asked(world: World) -> None:
    await register_person(asked(world, replace(ASKED, chat_id=GROUP)), MemorySteps(), world.services())
    assert as_text(world.told[GROUP]).splitlines() == [
        "✅ Записан",
        "• Иван П., 27 ноября 12:00",
        "• Открытый урок",
        "Ссылка и контакты — в личном чате.",
    ]
    assert [button.target for row in world.told[GROUP].buttons for button in row] == ["rlink:1"]
    assert "Иван Петров, i@p.ru, +7 999 123-45-67" in as_text(world.told[77])
    assert [button.target for row in world.told[77].buttons for button in row] == ["https://start.example/room?u=1"] * 2


OTHERS = (Destination(chat_id=88), Destination(chat_id=GROUP, topic_id=5), Destination(chat_id=77))


async def test_whoever_asked_for_the_same_meanwhile_is_told_the_same(world: World) -> None:
    world.waiting = OTHERS
    await register_person(asked(world), MemorySteps(), world.services())
    assert set(world.told) == {77, 88, GROUP}
    assert world.told[88] == world.told[77]
    assert "✅ Записан" in as_text(world.told[GROUP])
    assert "i@p.ru" not in as_text(world.told[GROUP])
    assert world.requested == [REQUEST]


async def test_a_refusal_is_told_to_all_who_asked(world: World) -> None:
    world.waiting = OTHERS
    world.fails["register"] = [VendorRefused("bizon365", "addSubscriber", "bad_time", hint="Такого времени у страницы нет.")]
    with pytest.raises(VendorRefused):
        await register_person(asked(world), MemorySteps(), world.services())
    assert all("Такого времени у страницы нет." in as_text(world.told[chat]) for chat in (77, 88, GROUP))


async def test_a_refusal_in_a_group_is_told_there_without_contacts(world: World) -> None:
    world.fails["register"] = [VendorRefused("bizon365", "addSubscriber", "bad_time", hint="Такого времени у страницы нет.")]
    with pytest.raises(VendorRefused):
        await register_person(asked(world, replace(ASKED, chat_id=GROUP)), MemorySteps(), world.services())
    assert list(world.told) == [GROUP]
    assert "Такого времени у страницы нет." in as_text(world.told[GROUP])
    assert "i@p.ru" not in as_text(world.told[GROUP])


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("Мария Кузнецова", "Мария К."), ("Мария", "Мария"), ("", ""), ("maria@p.ru", ""), ("8 999 123", ""),
        ("Гость 12", "Гость"), ("мария де ла Крус", "мария Д."),
    ],
)  # fmt: skip
def test_a_name_in_a_group(name: str, short: str) -> None:
    assert short_name(name) == short
