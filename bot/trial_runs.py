"""The mark of a rehearsal's lead, which only this installation can make, and what is run for a lead that bears it."""

import hmac
import secrets
from typing import Any

from bot.crm import Run
from bot.keys import Keys
from domain.ports import Steps
from domain.work import WorkItem
from handlers.crm.services import CrmServices
from handlers.leads.rehearsal import TrialServices, try_crm, try_form
from handlers.leads.services import NewsServices
from storage.engine import Database
from storage.leads import LeadStore

WORD = "rehearsal"


def new_mark(keys: Keys) -> str:
    """``rehearsal-NONCE-SIGN``: a stranger cannot make one, and so cannot make a lead of theirs unseen."""
    nonce = secrets.token_hex(6)
    return f"{WORD}-{nonce}-{keys.sign(f'{WORD}:{nonce}')}"


def is_mark(keys: Keys, text: str) -> bool:
    word, _, rest = text.partition("-")
    nonce, _, sign = rest.partition("-")
    true = keys.sign(f"{WORD}:{nonce}").encode()
    return word == WORD and hmac.compare_digest(sign.encode("utf-8", "surrogatepass"), true)


def with_trials(
    runs: dict[str, Run], keys: Keys, database: Database, news: NewsServices, crm: CrmServices | None
) -> dict[str, Run]:
    """``runs``, with marked leads going their own way."""
    cards = news.cards
    services = TrialServices(
        leads=LeadStore(database), offers=cards.offers, chat=cards.chat, texts=cards.texts, timezone=cards.timezone,
        posted=cards.posted, crm=crm.store if crm else None, platform=crm.platform if crm else None,
    )  # fmt: skip

    async def arrive(item: WorkItem[Any], steps: Steps) -> None:
        marked = is_mark(keys, item.event.external_id)
        await (try_form(item, steps, services) if marked else runs["leads"](item, steps))

    async def changed(item: WorkItem[Any], steps: Steps) -> None:
        leads = item.event.leads
        marked = bool(leads) and all(is_mark(keys, change.lead.name) for change in leads)
        await (try_crm(item, steps, services) if marked else runs["crm"](item, steps))

    return {**runs, "leads": arrive, "crm": changed}
