"""The account's list of hooks: whether ours is there, on and told of everything, and putting it there."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from domain.webhooks import HookStanding, HookState
from integrations.amocrm.platform import Crm, HookRow

WANTED_EVENTS = (
    "add_lead", "update_lead", "delete_lead", "restore_lead", "status_lead", "responsible_lead",
    "add_contact", "update_contact", "delete_contact", "restore_contact",
)  # fmt: skip
PLACE = "/hooks/amocrm/"


class Hooks:
    """Implements HookBook of domain.ports. Addresses that are not ours are left as they are."""

    def __init__(self, crm: Crm) -> None:
        self._crm = crm

    async def look(self, ours: Sequence[str]) -> HookStanding:
        return standing_of(await self._crm.hooks(), ours)

    async def subscribe(self, ours: Sequence[str]) -> HookStanding:
        """One that is switched off is taken away first: whether the same address again switches it on is not known."""
        target = next(address for address in ours if urlsplit(address).path.startswith(PLACE))
        for hook in await self._crm.hooks():
            if _is_left_over(hook, target):
                await self._crm.unsubscribe(hook.destination)
        await self._crm.subscribe(target, WANTED_EVENTS)
        return await self.look(ours)


def standing_of(hooks: Sequence[HookRow], ours: Sequence[str]) -> HookStanding:
    """By the best of ours. The secret in the path makes an address ours: Svodka may be reached by several names."""
    paths = {path for address in ours if (path := urlsplit(address).path).startswith(PLACE)}
    mine = [hook for hook in hooks if urlsplit(hook.destination).path in paths]
    working = [hook for hook in mine if not hook.disabled]
    if not working:
        return HookStanding(state=HookState.DISABLED if mine else HookState.MISSING)
    lacking = min((_lacking(hook) for hook in working), key=len)
    return HookStanding(state=HookState.LACKING if lacking else HookState.ON, lacking=lacking)


def _lacking(hook: HookRow) -> tuple[str, ...]:
    return tuple(event for event in WANTED_EVENTS if hook.events and event not in hook.events)


def _is_left_over(hook: HookRow, target: str) -> bool:
    """At our own address: with a secret that is no longer ours, or switched off."""
    theirs, ours = urlsplit(hook.destination), urlsplit(target)
    at_our_door = theirs.netloc == ours.netloc and theirs.path.startswith(ours.path.rpartition("/")[0] + "/")
    return at_our_door and (theirs.path != ours.path or hook.disabled)
