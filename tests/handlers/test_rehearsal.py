"""«/check учебный» in the chat: the price before anything is begun, every step after, one at a time."""

from dataclasses import replace

from handlers.checks.desk import Rehearsed
from handlers.checks.rehearsal import offer_screen, rehearsed_screen
from handlers.desk import Desk
from handlers.wording import Reader
from tests.handlers.chat import GROUP, Talk
from tests.handlers.conftest import Golden, Stage, look
from tests.handlers.test_check import told

CALL = Rehearsed(steps=(("download", 20.0), ("transcribe", 1500.0), ("post:full", 3.0)), micro_usd=3400)
FORM = Rehearsed(vendor="tilda", steps=(("rehearse_intake", 12.0), ("rehearse_card", 7.0), ("rehearse_sent", 400.0)))
DEAL = Rehearsed(vendor="amocrm", steps=(("rehearse_intake", 11.0), ("rehearse_ask", None)), fault="шаг не удался")


def test_the_screens(reader: Reader, golden: Golden) -> None:
    titled = replace(reader, vendors={"tilda": "Тильда", "amocrm": "amoCRM"})
    screens = {
        "платно": offer_screen(titled, 12_000),
        "бесплатно": offer_screen(titled, 0),
        "итог": rehearsed_screen(titled, (CALL, FORM, DEAL)),
    }
    golden("rehearsal", "\n\n".join(f"# {name}\n{look(screen)}" for name, screen in screens.items()))


async def test_the_price_comes_first_and_one_at_a_time_is_made(owner: Talk, desk: Desk, stage: Stage) -> None:
    assert "Цена: около $0,0120" in await owner.say("/проверка учебный")
    assert owner.keyboard() == [["rehearse:0"]]
    assert stage.doctor.audience is None
    assert await owner.press("rehearse:0") == ""
    audience = stage.doctor.audience
    assert audience is not None
    await audience.rehearsing()
    assert [text for _, text in await told(desk)] == [desk.texts.get("rehearsal.begun")]
    assert "(Учебный прогон уже идёт" in await owner.press("rehearse:0")
    await audience.rehearsed((CALL, FORM, DEAL))
    ((_, text),) = await told(desk)
    assert text.index("Звонок") < text.index("приняли по адресу вебхука · 12 мс") < text.index("шаг не удался")


async def test_one_that_was_broken_off_says_so(owner: Talk, desk: Desk, stage: Stage) -> None:
    await owner.press("rehearse:0")
    assert stage.doctor.audience is not None
    await stage.doctor.audience.rehearsed(None)
    ((_, text),) = await told(desk)
    assert "Прогон не состоялся" in text


async def test_only_in_private(owner: Talk, stage: Stage) -> None:
    assert "в личном чате с ботом" in await owner.say("/check репетиция", chat=GROUP)
    await owner.press("rehearse:0", chat=GROUP)
    assert stage.doctor.audience is None


async def test_not_for_managers(manager: Talk, stage: Stage) -> None:
    await manager.press("rehearse:0")
    await manager.say("/check учебный")
    assert stage.doctor.audience is None
