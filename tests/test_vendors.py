"""What every vendor that speaks to us keeps to: a new one is held to it by its line in bot/vendors.py alone."""

import dataclasses
import importlib
import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st

from bot.hooks import Endpoint, Hooks
from bot.vendors import VENDORS
from domain.errors import BadSignature, RejectedDelivery
from domain.events import Event, WebinarRegistered
from domain.webhooks import Delivery, Parsed, Receiver, record, replayed
from integrations.kit.vendor import Vendor

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
RECEIVING = [vendor for vendor in VENDORS if vendor.build_receiver is not None]


def folder(vendor: Vendor[Any]) -> Path:
    return Path(str(importlib.import_module(f"integrations.{vendor.name}").__file__)).parent


def environment(vendor: Vendor[Any]) -> dict[str, str]:
    return {name: value or "" for name, value in dotenv_values(folder(vendor) / "fixtures" / "settings.env").items()}


def receiver(vendor: Vendor[Any], **changed: str) -> Receiver:
    settings = vendor.read_settings(environment(vendor) | changed)
    assert settings is not None
    assert vendor.build_receiver is not None
    return vendor.build_receiver(settings)


def secrets(vendor: Vendor[Any]) -> dict[str, str]:
    named = {variable.name for variable in vendor.variables if variable.secret}
    return {name: value for name, value in environment(vendor).items() if name in named}


def _fixtures() -> Iterator[Any]:
    for vendor in RECEIVING:
        for path in sorted((folder(vendor) / "fixtures").glob("*.http")):
            yield pytest.param(vendor, path, id=f"{vendor.name}-{path.stem}")


FIXTURES = list(_fixtures())


def delivery(path: Path) -> Delivery:
    return replayed(path.read_bytes(), AT)


@pytest.mark.parametrize(("vendor", "path"), FIXTURES)
def test_a_fixture_says_where_it_is_from_and_gives_its_golden(vendor: Vendor[Any], path: Path) -> None:
    assert path.read_bytes().startswith((b"# source: captured", b"# source: vendor docs", b"# source: constructed"))
    receiving = receiver(vendor)
    receiving.verify(delivery(path))
    parsed = receiving.parse(delivery(path))
    events = [{"type": type(event).__name__} | dataclasses.asdict(event) for event in parsed.events]
    got = json.loads(json.dumps({"dedup_key": parsed.dedup_key, "kind": parsed.kind, "events": events}, default=str))
    golden = json.loads(path.with_suffix(".events.json").read_text(encoding="utf-8"))
    assert [_stripped(one) for one in got.pop("events")] == [_stripped(one) for one in golden.pop("events")]
    assert got == golden


def _stripped(event: dict[str, Any]) -> dict[str, Any]:
    """Times as one spelling: a golden writes them with a T."""
    return {name: value.replace(" ", "T", 1) if name.endswith("_at") and value else value for name, value in event.items()}


@pytest.mark.parametrize(("vendor", "path"), FIXTURES)
def test_the_same_fact_has_the_same_key(vendor: Vendor[Any], path: Path) -> None:
    once, later = delivery(path), dataclasses.replace(delivery(path), received_at=AT.replace(hour=18), path="/elsewhere")
    assert receiver(vendor).parse(once).dedup_key == receiver(vendor).parse(later).dedup_key
    assert len(receiver(vendor).parse(once).dedup_key) <= 200


@pytest.mark.parametrize(("vendor", "path"), FIXTURES)
def test_what_is_kept_holds_no_secret_and_means_the_same(vendor: Vendor[Any], path: Path) -> None:
    kept = receiver(vendor).redact(delivery(path))
    for value in secrets(vendor).values():
        assert value.encode() not in record(kept)
    assert _comparable(receiver(vendor).parse(kept)) == _comparable(receiver(vendor).parse(delivery(path)))


def _comparable(parsed: Parsed) -> Parsed:
    """But for what is a secret of the person registered: it is not kept either."""
    return dataclasses.replace(parsed, events=tuple(map(_without_secret, parsed.events)))


def _without_secret(event: Event) -> Event:
    if not isinstance(event, WebinarRegistered):
        return event
    return dataclasses.replace(event, registration=dataclasses.replace(event.registration, secret=""))


SIGNED = [
    param
    for param in FIXTURES
    if any(
        value.encode() in path.read_bytes()
        for path in folder(param.values[0]).glob("fixtures/*.http")
        for value in secrets(param.values[0]).values()
    )
]


def test_a_vendor_signs_its_deliveries_or_its_readme_says_that_it_does_not() -> None:
    signing = {param.values[0].name for param in SIGNED}
    for vendor in RECEIVING:
        honest = "подлинность — секрет" in (folder(vendor) / "README.md").read_text(encoding="utf-8")
        assert (vendor.name in signing) is not honest


@pytest.mark.parametrize(("vendor", "path"), SIGNED)
def test_another_secret_is_refused_and_one_being_rotated_is_not(vendor: Vendor[Any], path: Path) -> None:
    used = {name: value for name, value in secrets(vendor).items() if value.encode() in record(delivery(path))}
    assert used, "a fixture of a vendor that signs must carry its signature"
    for name, value in used.items():
        with pytest.raises(BadSignature):
            receiver(vendor, **{name: "another"}).verify(delivery(path))
        receiver(vendor, **{name: f"newer,{value}"}).verify(delivery(path))


@pytest.mark.parametrize("vendor", RECEIVING, ids=lambda vendor: vendor.name)
@given(body=st.binary(max_size=300), query=st.text(max_size=40))
def test_parsing_is_total(vendor: Vendor[Any], body: bytes, query: str) -> None:
    received = Delivery(method="POST", path="/", query=query, headers={}, body=body, received_at=AT)
    for act in (receiver(vendor).verify, receiver(vendor).parse):
        with suppress(RejectedDelivery):  # nothing else may come out
            act(received)
    receiver(vendor).redact(received)


@pytest.mark.parametrize("vendor", RECEIVING, ids=lambda vendor: vendor.name)
def test_the_path_secret_is_compared_whole(vendor: Vendor[Any]) -> None:
    made = {"account_id": 1, "connection_id": 1, "vendor": vendor.name, "receiver": receiver(vendor)}
    hooks = Hooks([Endpoint(secret="a" * 32, **made), Endpoint(secret="b" * 32, **made)])  # the second: being rotated
    assert hooks.find(vendor.name, "a" * 32) is not None
    assert hooks.find(vendor.name, "b" * 32) is not None
    for wrong in ("", "a" * 31, "a" * 33, "c" * 32, "ф" * 32, "\udcff"):
        assert hooks.find(vendor.name, wrong) is None
    assert hooks.find("nobody", "a" * 32) is None


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.name)
def test_nothing_set_is_off_and_a_secret_never_shows(vendor: Vendor[Any]) -> None:
    assert vendor.read_settings({}) is None
    if vendor in RECEIVING:
        shown = repr(vendor.read_settings(environment(vendor)))
        assert not any(value in shown for value in secrets(vendor).values())


@pytest.mark.parametrize("vendor", RECEIVING, ids=lambda vendor: vendor.name)
def test_the_readme_ends_with_the_honest_list(vendor: Vendor[Any]) -> None:
    text = (folder(vendor) / "README.md").read_text(encoding="utf-8").lower()
    for word in ("подпись", "повтор", "постранич", "частот", "fake", "живом"):
        assert word in text[-2500:], word
