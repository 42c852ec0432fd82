"""kill -9 in each window between the other side's acceptance and our commit, and what comes of it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.town import Town, open_town


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with open_town(tmp_path) as opened:
        await opened.start_child()
        yield opened


async def restart(town: Town) -> None:
    await town.child.killed()
    town.models.release()
    town.telegram.clear_faults()
    await town.start_child()


async def test_what_was_answered_200_survives_at_once(town: Town) -> None:
    town.portal.down = True
    await town.end_call()
    await town.child.killed()
    town.portal.down = False
    await town.start_child()
    await town.until_card("Готово через")
    assert len(town.cards()) == 1


async def test_a_transcription_paid_at_the_kill_is_bought_again_and_marked(town: Town) -> None:
    town.models.hold()
    await town.end_call()
    await town.until(lambda: town.models.paid["transcriptions"] == 1)
    await restart(town)
    card = await town.until_card("Готово через")
    assert "Возможен повтор" in card.text
    await town.until(lambda: town.portal.comments)
    assert town.models.paid == {"transcriptions": 2, "completions": 1}
    assert len(town.cards()) == len(town.portal.comments) == 1


async def test_a_summary_paid_at_the_kill_is_bought_again_and_marked(town: Town) -> None:
    town.models.hold()
    await town.end_call()
    await town.until(lambda: town.models.paid["transcriptions"] == 1)
    town.models.release()
    town.models.hold()  # lets the transcription through and keeps the summary
    await town.until(lambda: town.models.paid["completions"] == 1)
    await restart(town)
    card = await town.until_card("Готово через")
    assert "Возможен повтор" in card.text
    assert town.models.paid == {"transcriptions": 1, "completions": 2}


async def test_a_comment_added_at_the_kill_is_found_and_not_added_again(town: Town) -> None:
    reached = town.portal.hold("crm.timeline.comment.add")
    await town.end_call()
    await town.until(reached.is_set)
    await town.child.killed()
    town.portal.release("crm.timeline.comment.add")
    await town.start_child()
    await town.until(lambda: "Successfully processed" in (town.folder / "svodka.log").read_text(encoding="utf-8"))
    assert len(town.portal.comments) == 1
    assert town.models.paid == {"transcriptions": 1, "completions": 1}
    assert "Возможен повтор" not in "".join(town.texts())


async def test_a_message_sent_at_the_kill_is_sent_again_and_marked(town: Town) -> None:
    town.telegram.hold(method="sendMessage", chat=town.group)
    await town.end_call()
    await town.until(town.cards)
    await restart(town)
    await town.until(lambda: len(town.cards()) == 2)
    await town.until(lambda: "Готово через" in town.cards()[1].text)
    assert "возможен повтор" in town.cards()[1].text
    assert town.models.paid == {"transcriptions": 1, "completions": 1}
