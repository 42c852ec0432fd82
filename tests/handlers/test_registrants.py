"""Who registered: a list, the nineteen values of one, what a group may see of them, and the link asked for privately."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from aiogram.methods import AnswerCallbackQuery
from sqlalchemy import select, update

from domain.attendance import Yardstick
from domain.messages import Message, as_text
from domain.webinars import Marks, PageId, Registration, RoomId
from handlers.desk import Desk
from handlers.webinars.catalogue import Catalogue
from handlers.webinars.desk import Asking, WebinarDesk
from storage.codec import loads
from storage.models import posts, registrations
from storage.registrations import RegistrationStore
from tests.handlers.chat import GROUP, MANAGER, OWNER, Talk
from tests.handlers.conftest import Golden
from tests.handlers.seed import NOON, seed_accounts
from tests.handlers.test_register import SESSION, Asked, Platform
from tests.storage.hall import Hall, lead

FULL = Registration(
    sublist_id=PageId("222222:page1"), room=RoomId("111111:room"), name="Мария Кузнецова", email="Maria@p.ru",
    phone="8 999 123 45 67", session_at=datetime(2021, 9, 16, 9, tzinfo=UTC), secret="invented-secret",
    marker_name="partner", marks=Marks(source="vk", medium="cpc", campaign="осень", partner="p7"),
)  # fmt: skip


async def keep(desk: Desk, registration: Registration = FULL, *, link: str = "") -> int:
    async def job(connection: object) -> int:
        kept = await RegistrationStore().add_registration(
            connection, 1, "bizon365", registration, source="hook", heard_at=NOON, link=link  # type: ignore[arg-type]
        )  # fmt: skip
        return kept.id

    return await desk.database.write(job)  # type: ignore[arg-type]


async def test_the_nineteen_values_read_well(owner: Talk, desk: Desk, golden: Golden) -> None:
    number = await keep(desk, link="https://start.example/room?u=1")
    shown = [await owner.say("/webinars"), await owner.press("regs:0")]
    assert owner.keyboard() == [[f"reg:{number}"]]
    shown.append(await owner.press(f"reg:{number}"))
    assert owner.keyboard()[0] == ["https://start.example/room?u=1"] * 2
    shown.append(await owner.press(f"reg:{number}", chat=GROUP))
    assert owner.keyboard() == [[f"rlink:{number}"]]
    golden("registrants", "\n\n".join(shown))


async def test_the_secret_is_for_those_who_run_the_bot(owner: Talk, desk: Desk) -> None:
    number = await keep(desk)
    assert "invented-secret" in await owner.press(f"reg:{number}")
    owner.person = MANAGER
    assert "Секрет: ••••••" in await owner.press(f"reg:{number}")
    owner.person = OWNER
    in_group = await owner.press(f"reg:{number}", chat=GROUP)
    for hidden in ("invented-secret", "aria@p.ru", "123-45-67", "Кузнецова"):
        assert hidden not in in_group


async def test_an_unreadable_phone_is_no_groups_business(owner: Talk, desk: Desk) -> None:
    number = await keep(desk, replace(FULL, phone="+7911111111"))
    assert "+7911111111" in await owner.press(f"reg:{number}")
    assert "7911111111" not in await owner.press(f"reg:{number}", chat=GROUP)


async def test_what_is_no_address_is_said_to_be_none(owner: Talk, desk: Desk) -> None:
    number = await keep(desk, replace(FULL, email="x@"))
    assert "Почта: x@ — не адрес, считаем, что почты нет" in await owner.press(f"reg:{number}")
    in_group = await owner.press(f"reg:{number}", chat=GROUP)
    assert "Почта: •••••• — не адрес" in in_group
    assert "x@" not in in_group


async def test_whom_the_email_names_besides_is_said(owner: Talk, desk: Desk) -> None:
    await Hall(desk.database).save(lead("89990000001", "maria@p.ru", name="Анна Смирнова"))
    number = await keep(desk)
    assert "у другого человека: Анна Смирнова" in await owner.press(f"reg:{number}")
    assert "у другого человека: Анна С." in await owner.press(f"reg:{number}", chat=GROUP)


async def test_a_link_asked_for_in_a_group_is_given_in_private(manager: Talk, desk: Desk) -> None:
    number = await keep(desk, link="https://start.example/room?u=1")
    await manager.press(f"rlink:{number}", chat=GROUP)
    (answer,) = [call for call in manager.session.calls if isinstance(call, AnswerCallbackQuery)]
    assert answer.url == f"https://t.me/svodka_bot?start=link{number}"
    assert manager.shown() == []
    for _ in range(2):  # as often as it is asked for
        assert "Мария Кузнецова" in await manager.say(f"/start link{number}")
        assert manager.keyboard()[0] == ["https://start.example/room?u=1"] * 2
    assert "Мария Кузнецова" in await manager.press(f"rlink:{number}")


@pytest.mark.parametrize("asked", ["/start link999", "/start link9999999999999999999"])
async def test_a_registration_that_is_gone_says_so(manager: Talk, desk: Desk, asked: str) -> None:
    answer = await manager.say(asked)
    assert desk.texts.get("registrant.gone") in answer or "Здравствуйте" in answer
    assert desk.texts.get("registrant.gone") in await manager.press("reg:999")


async def test_another_accounts_registration_is_nobodys(manager: Talk, desk: Desk) -> None:
    number = await keep(desk)
    await desk.database.write(lambda connection: connection.execute(update(registrations).values(account_id=2)))
    assert desk.texts.get("registrant.gone") in await manager.press(f"reg:{number}")
    assert desk.texts.get("registrant.none") in await manager.press("regs:0")


async def test_older_ones_are_on_the_next_page(manager: Talk, desk: Desk) -> None:
    for place in range(10):
        await keep(desk, replace(FULL, phone=f"8999123450{place}", email=""))
    await manager.press("regs:0")
    assert manager.keyboard()[2] == ["regs:8:t"]
    assert "10. " in await manager.press("regs:8:t")
    assert manager.keyboard() == [["reg:2", "reg:1"], ["regs:0:t"]]


@pytest.fixture
async def again(desk: Desk) -> Talk:
    """Somebody who presses what was done before."""
    await seed_accounts(desk.database)
    asked = Asked()
    asked.outcome = Asking.DONE
    catalogue = Catalogue(Platform(), desk.clock)  # type: ignore[arg-type]  # all that is asked of it
    return Talk(
        replace(desk, webinars=WebinarDesk(vendor="bizon365", catalogue=catalogue, ask=asked, yardstick=Yardstick())),
        MANAGER,
    )


async def in_place(desk: Desk) -> Message:
    """The newest of the outbox: in private an answer takes the place of what was pressed."""
    async with desk.database.read() as connection:
        return loads(Message, (await connection.scalars(select(posts.c.content).order_by(posts.c.id.desc()))).first() or "")


async def test_the_link_of_what_was_done_before_is_given_again(again: Talk, desk: Desk) -> None:
    known = Registration(sublist_id=PageId("111:page"), name="Пётр Сидоров", email="a@b.ru", session_at=SESSION)
    number = await keep(desk, known, link="https://start.example/room?u=9")
    line = "/register 0 111:page 27.11.2026 12:00 a@b.ru"
    await again.say(line)
    await again.press("rgo:0")
    answer = await in_place(desk)
    assert desk.texts.get("register.done_before") in as_text(answer)
    assert [button.target for row in answer.buttons for button in row] == ["https://start.example/room?u=9"] * 2
    await again.say(line, chat=GROUP)
    answer = await again.press("rgo:0", chat=GROUP)
    assert desk.texts.get("register.done_before") in answer
    assert "a@b.ru" not in answer
    assert again.keyboard() == [[f"rlink:{number}"]]
    async with desk.database.read() as connection:
        assert await connection.scalar(select(registrations.c.link)) == "https://start.example/room?u=9"


async def test_a_group_is_not_shown_what_was_filled_in(again: Talk, desk: Desk) -> None:
    await Hall(desk.database).save(lead("89991234567", "maria@p.ru", name="Мария Кузнецова"))
    for press in ("", "rconf:1"):
        line = "/register 0 111:page 27.11.2026 12:00 maria@p.ru"
        shown = await (again.press(press, chat=GROUP) if press else again.say(line, chat=GROUP))
        assert "• Мария К.\n• +7 999 ···-··-67" in shown
        assert "aria@p.ru" not in shown
