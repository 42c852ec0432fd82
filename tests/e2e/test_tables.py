"""A table sent in Telegram, over real sockets: shown, agreed to, loaded, and what it brought asked for in each way."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandbox.telegram.world import Message
from tests.e2e.town import Town, open_town

TABLE = "Имя;Телефон;Направление;utm_source;Дата\n" + "".join(
    f"Клиент {number};8 900 000 01 {number:02};Ремонт;vk;01.11.2026\n" for number in range(12)
)


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with open_town(tmp_path) as opened:
        await opened.start()
        opened.telegram.start(opened.owner)
        yield opened


def private(town: Town) -> list[Message]:
    """What the bot shows the owner."""
    chat = town.telegram.private(town.owner)
    return [message for message in town.telegram.messages(chat) if message.author == town.telegram.bot]


async def until_shown(town: Town, *words: str) -> Message:
    def found() -> bool:
        return any(all(word in message.text for word in words) for message in private(town))

    await town.until(found, why=lambda: f"{words} not in {[message.text for message in private(town)]}")
    return next(message for message in reversed(private(town)) if all(word in message.text for word in words))


async def until_file(town: Town, kind: str) -> bytes:
    def files() -> list[Message]:
        return [message for message in private(town) if message.file is not None and message.file.kind == kind]

    await town.until(files, why=lambda: f"no {kind} among {private(town)}")
    file = files()[-1].file
    assert file is not None
    return file.data


async def test_a_table_becomes_figures(town: Town) -> None:
    town.telegram.send_file(town.owner, "Лиды.csv", TABLE.encode("cp1251"), content_type="text/csv")
    shown = await until_shown(town, "Лиды.csv", "12 строк с данными, новых 12")
    town.telegram.press(town.owner, shown, "Загрузить новые: 12")
    await until_shown(town, "добавлено: 12")
    town.telegram.say(town.owner, "конверсия за год по источникам")
    figure = await until_shown(town, "Конверсия по источникам", "vk — 0,00\u00a0%", "дошли 0 из 12 лидов")
    town.telegram.press(town.owner, figure, "CSV")
    assert b"vk;12;0;0,00;0;;0" in await until_file(town, "document")
    town.telegram.press(town.owner, figure, "Excel")
    await until_shown(town, "📄 Конверсия по источникам", "1 строка")
    await town.until(lambda: any(one.file is not None and one.file.name.endswith(".xlsx") for one in private(town)))
    town.telegram.press(town.owner, figure, "Картинка")
    assert (await until_file(town, "photo")).startswith(b"\x89PNG")
    town.telegram.press(town.owner, figure, "Как посчитано")
    await until_shown(town, "Размер выборки: 12 лидов")
    query = town.telegram.ask_inline(town.owner, "конверсия 365д")
    await town.until(lambda: query.results)
    assert query.results is not None
    assert "Ремонт — 0,00" in str(query.results[1]["title"])
