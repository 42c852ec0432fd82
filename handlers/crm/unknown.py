"""A stage that nobody knows is told of once, with a button that says what it means."""

from collections.abc import Collection, Sequence

from domain.messages import Message, Section, Texts, bold, plain
from domain.ports import Steps, Tx
from handlers.calls.screens import action
from handlers.crm.services import CrmServices
from storage.stages import UnknownStage


async def tell_unknown(account_id: int, stages: Collection[str], steps: Steps, services: CrmServices) -> None:
    """``stages``: those that leads were told to be in, by number. The notices and that they were given are one commit."""
    unknown = await services.stages.unknown(account_id, stages)
    if not unknown:
        return

    async def tell(tx: Tx) -> int:
        cards = services.news.cards
        for stage in unknown:
            await cards.chat.post(tx, account_id, unknown_stage(stage, services.title, cards.texts))
        await services.stages.mark_hinted(tx, account_id, [stage.id for stage in unknown], now=services.clock.now())
        return len(unknown)

    await steps.write(f"unknown:{_names(unknown)}", tell, int)
    services.news.cards.posted()


def unknown_stage(stage: UnknownStage, crm: str, texts: Texts) -> Message:
    said = texts.get("stages.unknown_said", number=stage.status_id, pipeline=stage.pipeline_id or "—")
    return Message(
        key=f"notice:stage:{stage.id}",
        sections=(Section(title=bold(texts.get("stages.unknown_title", crm=crm)), lines=(plain(said),)),),
        buttons=((action(texts.get("stages.button.choose"), f"stg:{stage.id}"),),),
        kind="notice",
    )


def _names(unknown: Sequence[UnknownStage]) -> str:
    """The same stages are told of once in a work; others that come to light in a later try, too."""
    return f"{unknown[0].id}-{unknown[-1].id}"
