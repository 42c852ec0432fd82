"""Who is asked by the clock: the polls of everything that is connected, each under the eyes of the health board."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Protocol

from bot.crm_poll import CrmPoll
from bot.entrance import ACCOUNT
from bot.finds import Finds
from bot.health import HealthBoard, observed
from bot.polls import CallPoll, Poll
from bot.webinar_poll import WebinarPoll
from domain.ports import Clock
from integrations.kit.vendor import Ports, Vendor
from storage.engine import Database
from storage.sealed import unseal
from storage.vault import Vault
from storage.work import WorkStore

__all__ = ["Poll", "build_polls"]


class Part(Protocol):
    """What is needed of a connected vendor; bot.services.Connected is the real one."""

    @property
    def vendor(self) -> Vendor[Any]: ...
    @property
    def ports(self) -> Ports: ...
    @property
    def connection_id(self) -> int: ...


def build_polls(
    database: Database, store: WorkStore, clock: Clock, connected: Mapping[str, Part], *, board: HealthBoard, vault: Vault
) -> tuple[Poll, ...]:
    """One for each thing a vendor can be asked for."""

    def polls() -> Iterator[Poll]:
        for name, part in connected.items():
            ports, ids = part.ports, {"account_id": ACCOUNT, "connection_id": part.connection_id}
            if any((ports.journal, ports.webinars, ports.crm)):
                board.add(name, part.vendor.title)
            if ports.journal is not None and ports.recordings is not None:
                journal, recordings = (
                    observed(ports.journal, name, name, board),
                    observed(ports.recordings, name, name, board),
                )
                yield CallPoll(database, store, clock, journal, recordings, vendor=name, **ids)
            if ports.webinars is not None:
                platform = observed(ports.webinars, name, name, board)
                yield WebinarPoll(database, store, clock, platform, vendor=name, **ids)
            if ports.crm is not None:
                crm = observed(ports.crm, name, name, board)
                finds = Finds(database, clock, vault=vault, **ids)
                yield CrmPoll(database, finds, clock, crm, partial(unseal, vault), account_id=ACCOUNT, vendor=name)

    return tuple(polls())
