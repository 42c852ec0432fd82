"""The PostgreSQL of the tests, but one that keeps what it promised: their settings trade durability for speed."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from tests import postgres

_DURABLE = ("fsync=on", "full_page_writes=on", "synchronous_commit=on", "shared_buffers=128MB")


@contextmanager
def durable_postgres() -> Iterator[postgres.Postgres]:
    """A running server; NoPostgres says why there is none."""
    with mock.patch.object(postgres, "_FAST", _DURABLE):
        server = postgres.start_postgres()
    try:
        yield server
    finally:
        server.stop()
