"""Two people with a phone each and one e-mail between them: whose it is, and that they may be one, for somebody to say.

It is theirs who left it first together with a phone, by the times of the leads and not by the order in which they reach us.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from storage.hidden import seen
from storage.identities import add_keys, undone_keys
from storage.joins import HAND, SUGGESTED, Reason, add_pair
from storage.matching import EMAIL, rematch
from storage.sets import execute, fetch, moment
from storage.whose import Doubt

_EVIDENCE = """
SELECT person_id, email_key, min(created_at), min(phone_key) FROM leads
WHERE person_id IN {ids} AND email_key IN {texts} AND phone_key <> '' GROUP BY person_id, email_key
"""
_OWNERS = """
SELECT value, person_id, source FROM identities
WHERE account_id = :account AND kind = 'email' AND value IN {texts} AND undone_at IS NULL
"""
_GIVE = """
UPDATE identities SET person_id = :to
WHERE account_id = :account AND kind = 'email' AND value = :email AND undone_at IS NULL
"""
_LEADS = """
UPDATE leads SET person_id = :to
WHERE person_id = :was AND email_key = :email AND phone_key = '' AND contact_id = ''
"""
_REGISTRATIONS = """
UPDATE registrations SET person_id = :to
WHERE person_id = :was AND email_key = :email AND phone_key = '' AND matched_by <> 'hand'
"""
_ASKED = """
SELECT id, person_id, other_id FROM person_joins
WHERE (person_id IN {ids} OR other_id IN {ids}) AND state = 'suggested' AND reason = 'email' AND changed_by IS NULL
AND value IN {texts}
"""
_NOT_ASKED = "DELETE FROM person_joins WHERE id IN {ids}"
_WHO_LEFT_IT = f"""
SELECT email_key, person_id, min(source), min(created_at) FROM leads AS l
WHERE person_id IN {{ids}} AND email_key IN {{texts}} AND deleted_at IS NULL AND {seen("l")}
GROUP BY email_key, person_id ORDER BY 4, 2
"""  # noqa: S608 - our own text
_PAIRS = "SELECT person_id, other_id FROM person_joins WHERE person_id IN {ids} OR other_id IN {ids}"


async def settle_doubts(
    connection: AsyncConnection, account_id: int, doubts: Sequence[Doubt], leads: Sequence[int], now: datetime
) -> None:
    """``leads``: the ids of the batch's, in its order. Within the write that brought them."""
    if not doubts:
        return
    ids = {"ids": sorted({one for doubt in doubts for one in (doubt.person, doubt.other)})}
    texts = {"texts": sorted({doubt.email for doubt in doubts})}
    evidence = {(row[0], row[1]): (row[2], row[3]) for row in await fetch(connection, _EVIDENCE, ids | texts)}
    owners = {row[0]: row[1:] for row in await fetch(connection, _OWNERS, {"account": account_id, **texts})}
    undone = await undone_keys(connection, account_id, texts["texts"])
    for doubt in doubts:
        owner, source = owners[doubt.email]
        refused = source == HAND or (EMAIL, doubt.email, doubt.person) in undone
        if not refused and _was_first(evidence, doubt, owner):
            await _give(connection, account_id, doubt, owner)
            owners[doubt.email] = (doubt.person, source)
    await _suggest(connection, account_id, doubts, leads, now)


def _was_first(evidence: Mapping[tuple[int, str], Any], doubt: Doubt, owner: int) -> bool:
    """An owner without a lead that carries both has it from a registration or by hand: that stays."""
    theirs, ours = evidence.get((owner, doubt.email)), evidence.get((doubt.person, doubt.email))
    return theirs is not None and ours is not None and owner != doubt.person and bool(ours < theirs)


async def pass_on(connection: AsyncConnection, account_id: int, people: Sequence[int], emails: Collection[str]) -> None:
    """E-mails that these people have lost: who left one as well has it now, and about the two nobody is asked any more."""
    if not emails:
        return
    pairs = await fetch(connection, _ASKED, {"ids": list(people), "texts": list(emails)})
    if not pairs:
        return
    whose = {"ids": sorted({one for pair in pairs for one in pair[1:]}), "texts": list(emails)}
    left = await fetch(connection, _WHO_LEFT_IT, whose)
    told = [(EMAIL, email, person, source, at) for email, person, source, since in left if (at := moment(since)) is not None]
    await add_keys(connection, account_id, told)  # of several the first who left it
    await execute(connection, _NOT_ASKED, {"ids": [pair[0] for pair in pairs]})
    await rematch(connection, account_id, emails=[email for email, *_ in left])


async def _give(connection: AsyncConnection, account_id: int, doubt: Doubt, owner: int) -> None:
    """The e-mail, and who is known by it alone."""
    values = {"to": doubt.person, "was": owner, "email": doubt.email}
    await execute(connection, _GIVE, {**values, "account": account_id})
    await execute(connection, _LEADS, values)
    await execute(connection, _REGISTRATIONS, values)
    await rematch(connection, account_id, emails=[doubt.email], people={doubt.person, owner})


async def _suggest(
    connection: AsyncConnection, account_id: int, doubts: Sequence[Doubt], leads: Sequence[int], now: datetime
) -> None:
    """Once for two people, and never for those about whom somebody has said something."""
    ids = sorted({one for doubt in doubts for one in (doubt.person, doubt.other)})
    known = {frozenset(row) for row in await fetch(connection, _PAIRS, {"ids": ids})}
    for doubt in doubts:
        pair = frozenset((doubt.person, doubt.other))
        if pair not in known:
            reason = Reason(kind=EMAIL, value=doubt.email, lead_id=leads[doubt.place])
            await add_pair(connection, account_id, (doubt.person, doubt.other), reason, state=SUGGESTED, now=now)
            known.add(pair)
