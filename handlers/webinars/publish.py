"""The card of a webinar in the chats, as the stage of the work allows, and the picture beside it."""

import asyncio
import hashlib
import logging
from datetime import datetime
from pathlib import Path

from domain.attendance import Turnout
from domain.messages import Message, Texts
from domain.ports import Tx
from handlers.drawing import NotDrawnError, draw_apart
from handlers.webinars.charts import Curve, draw
from handlers.webinars.messages import Stage, WebinarView, webinar_card
from handlers.webinars.run import WebinarRun

log = logging.getLogger(__name__)

__all__ = ["Stage", "draw_picture", "publish", "show_progress"]

FOLDER = "pictures"


async def publish(
    run: WebinarRun,
    stage: Stage,
    *,
    name: str = "",
    turnout: Turnout | None = None,
    picture: str | None = None,
    next_look: datetime | None = None,
) -> int:
    """Want the card of this stage in the chats, once under each ``name``; in how many it is."""
    message = _card(run, stage, turnout=turnout, picture=picture, next_look=next_look)
    post = run.services.chat.repost if run.quiet else run.services.chat.post

    async def write(tx: Tx) -> int:
        return await post(tx, run.item.account_id, message)

    shown = await run.steps.write(f"post:{name or stage}", write, int)
    run.services.posted()
    return shown


async def show_progress(run: WebinarRun, loaded: int, total: int) -> None:
    """The same card while records still come in. Not a step: told twice it is the same card."""
    message = _card(run, Stage.LOADING, loaded=loaded, total=total)
    await run.services.write(lambda tx: run.services.chat.post(tx, run.item.account_id, message))
    run.services.posted()


async def draw_picture(run: WebinarRun, turnout: Turnout) -> str:
    """The webinar drawn into a file named by what it shows; its path relative to DATA_DIR.

    "" where it could not be drawn: the figures are there, and what follows them is worth more than a picture.
    """
    services = run.services
    steps = funnel(turnout, services.texts)
    curve = Curve(title=run.title, present=await services.webinars.present(run.row_id), steps=steps)
    try:
        png = await services.run_cpu(lambda: draw_apart(draw, curve, services.texts))
    except NotDrawnError as error:
        log.warning("webinar %s has no picture: %s", run.webinar_id, error)
        return ""
    assert isinstance(png, bytes)  # noqa: S101 - what ``draw`` gives
    relative = Path(FOLDER) / f"{run.item.heard_at:%Y-%m-%d}" / f"{hashlib.sha256(png).hexdigest()[:24]}.png"
    await asyncio.to_thread(_write, services.data_dir / relative, png)
    return relative.as_posix()


def funnel(turnout: Turnout, texts: Texts) -> tuple[tuple[str, int], ...]:
    """From those who registered to those who stayed; without registrations it begins with who came."""
    counts = {"came": turnout.came, "attended": turnout.attended, "long": turnout.long, "stayed": turnout.stayed}
    if turnout.registered:
        counts = {"registered": turnout.registered, **counts}
    return tuple((texts.get(f"webinar.funnel.{name}"), count) for name, count in counts.items())


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _card(
    run: WebinarRun,
    stage: Stage,
    *,
    turnout: Turnout | None = None,
    picture: str | None = None,
    next_look: datetime | None = None,
    loaded: int = 0,
    total: int = 0,
) -> Message:
    services, report = run.services, run.report
    view = WebinarView(
        stage=stage,
        title=run.title,
        timezone=services.timezone,
        row_id=run.row_id,
        work_id=run.item.id,
        started_at=report.started_at if report else run.item.event.occurred_at,
        minutes=report.minutes if report else 0,
        attended_s=services.policy.yardstick.attended_s,
        turnout=turnout,
        loaded=loaded,
        total=total,
        next_look=next_look,
        rehearsal=run.item.event.rehearsal,
    )
    return webinar_card(view, services.texts, key=run.post_key, picture=picture)
