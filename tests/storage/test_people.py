"""Who may ask: the first owner, invitations, and being shut out."""

import pytest
from sqlalchemy import select

from domain.errors import BadInput
from domain.roles import Person, Role
from storage.engine import Database
from storage.models import audit, invitations
from storage.people import People
from tests.ground import HandClock


async def owner_of(people: People) -> Person:
    await people.let_in(1, (100,))
    owner = await people.find(100)
    assert owner is not None
    return owner


async def test_the_environment_lets_in_an_owner_and_admins(database: Database, clock: HandClock) -> None:
    people = People(database, clock)
    for _ in range(2):
        await people.let_in(1, (100, 200))
    listed = await people.all(1)
    assert [(one.person.telegram_id, one.person.role) for one in listed] == [(100, Role.OWNER), (200, Role.ADMIN)]
    assert await people.owner_code(1) is None
    assert await people.find(300) is None


async def test_who_is_let_in_by_number_is_called_what_they_are_called(database: Database, clock: HandClock) -> None:
    people = People(database, clock)
    owner = await owner_of(people)
    assert (await people.introduce(owner, name="Иван Петров", username="ivan")).name == "Иван Петров"
    await people.introduce(owner, name="Другое имя")
    assert [(one.person.name, one.username) for one in await people.all(1)] == [("Иван Петров", "ivan")]


async def test_the_owners_code_works_once_and_is_kept_as_a_hash(database: Database, clock: HandClock) -> None:
    people = People(database, clock)
    old, code = await people.owner_code(1), await people.owner_code(1)
    assert old is not None
    assert code is not None
    async with database.read() as connection:
        hashes = list(await connection.scalars(select(invitations.c.code_sha256)))
    assert len(hashes) == 1
    assert code not in hashes[0]
    assert await people.accept(old, telegram_id=5, name="Чужой") is None
    owner = await people.accept(code, telegram_id=1, name="Иван", username="ivan")
    assert owner is not None
    assert (owner.role, owner.name, owner.account_id) == (Role.OWNER, "Иван", 1)
    assert await people.accept(code, telegram_id=5, name="Чужой") is None
    assert await people.accept(code, telegram_id=1, name="Иван") == owner  # the same message, handled twice
    assert await people.owner_code(1) is None


async def test_five_wrong_tries_end_the_owners_code(database: Database, clock: HandClock) -> None:
    people = People(database, clock)
    code = await people.owner_code(1)
    assert code is not None
    for number in range(4):
        assert await people.accept(f"{number:012x}", telegram_id=5, name="") is None
    assert await people.accept("ABCDEF012345", telegram_id=5, name="") is None
    assert await people.accept(code, telegram_id=1, name="Иван") is None
    fresh = await people.owner_code(1)
    assert fresh is not None
    assert await people.accept(fresh, telegram_id=1, name="Иван") is not None


async def test_what_cannot_be_a_code_is_no_try(database: Database, clock: HandClock) -> None:
    people = People(database, clock)
    code = await people.owner_code(1)
    assert code is not None
    for text in ("", "inline", "wrong\ud800", "ref_2026", f"{code}0", code[:-1], f"{code[:-1]}g", f"{code}\n"):
        assert await people.accept(text, telegram_id=5, name="") is None
    assert await people.accept(code, telegram_id=1, name="Иван") is not None


async def test_an_invitation_lives_a_quarter_of_an_hour(database: Database, clock: HandClock) -> None:
    people = People(database, clock)
    owner = await owner_of(people)
    late, code = await people.invite(owner, Role.MANAGER), await people.invite(owner, Role.ADMIN)
    clock.forward(14 * 60)
    admin = await people.accept(code, telegram_id=7, name="Ольга", username="olga")
    assert admin is not None
    assert admin.role is Role.ADMIN
    clock.forward(2 * 60)
    assert await people.accept(late, telegram_id=8, name="Пётр") is None
    assert [one.username for one in await people.all(1)] == ["", "olga"]
    assert [person.telegram_id for person in await people.admins(1)] == [100, 7]


async def test_only_those_who_run_the_bot_invite(database: Database, clock: HandClock) -> None:
    people = People(database, clock)
    owner = await owner_of(people)
    manager = await people.accept(await people.invite(owner, Role.MANAGER), telegram_id=7, name="Ольга")
    assert manager is not None
    with pytest.raises(BadInput):
        await people.invite(manager, Role.MANAGER)
    with pytest.raises(BadInput):
        await people.invite(owner, Role.OWNER)


async def test_a_lower_invitation_takes_nothing_away(database: Database, clock: HandClock) -> None:
    people = People(database, clock)
    owner = await owner_of(people)
    again = await people.accept(await people.invite(owner, Role.MANAGER), telegram_id=100, name="Иван")
    assert again is not None
    assert again.role is Role.OWNER


async def test_shut_out_and_let_in_again(database: Database, clock: HandClock) -> None:
    people = People(database, clock)
    owner = await owner_of(people)
    await people.accept(await people.invite(owner, Role.ADMIN), telegram_id=7, name="Ольга")
    assert await people.disable(owner, 7)
    assert not await people.disable(owner, 7)
    assert await people.find(7) is None
    assert [one.disabled for one in await people.all(1)] == [False, True]
    assert [person.telegram_id for person in await people.admins(1)] == [100]
    back = await people.accept(await people.invite(owner, Role.MANAGER), telegram_id=7, name="Ольга")
    assert back is not None
    assert back.role is Role.MANAGER
    async with database.read() as connection:
        actions = list(await connection.scalars(select(audit.c.action).order_by(audit.c.id)))
    assert actions == ["invite", "accept", "disable", "invite", "accept"]


async def test_the_last_admin_and_the_owner_are_kept(database: Database, clock: HandClock) -> None:
    people = People(database, clock)
    owner = await owner_of(people)
    with pytest.raises(BadInput, match="единственный"):
        await people.disable(owner, 100)
    admin = await people.accept(await people.invite(owner, Role.ADMIN), telegram_id=7, name="Ольга")
    assert admin is not None
    with pytest.raises(BadInput, match="владелец"):
        await people.disable(admin, 100)
    assert (await people.find(100)) is not None
