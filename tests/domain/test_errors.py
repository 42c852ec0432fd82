"""The tree of errors: what the rest of the house decides by."""

import pytest

from domain import errors
from domain.errors import BadInput, ConfigError, NotReady, RejectedDelivery, SvodkaError, VendorRefused, VendorUnavailable
from domain.events import Direction
from domain.roles import Role


@pytest.mark.parametrize(
    ("name", "status"), [("BadSignature", 401), ("UnknownHook", 404), ("MalformedBody", 400), ("TooLarge", 413)]
)
def test_a_rejected_delivery_knows_its_answer(name: str, status: int) -> None:
    error = getattr(errors, name)("why", field="webinarId")
    assert isinstance(error, RejectedDelivery)
    assert (error.status, error.field, str(error)) == (status, "webinarId", "why")


def test_every_error_is_the_houses_and_tells_what_is_known() -> None:
    later = VendorUnavailable("bitrix24", "crm.deal.get", "429", retry_after=2.5, uncertain=True)
    never = VendorRefused("amocrm", "leads", "scope", hint="включите доступ к сделкам")
    waiting = NotReady("запись звонка", retry_after=30)
    typed = BadInput("период", "напишите, например, 30д")
    setting = ConfigError("TIMEZONE", "например, Europe/Moscow")
    assert all(isinstance(error, SvodkaError) for error in (later, never, waiting, typed, setting))
    assert (str(later), later.retry_after, later.uncertain) == ("bitrix24 crm.deal.get: 429", 2.5, True)
    assert (str(never), never.code, never.hint) == ("amocrm leads: scope", "scope", "включите доступ к сделкам")
    assert (str(waiting), waiting.retry_after) == ("запись звонка", 30)
    assert (str(typed), typed.field) == ("период: напишите, например, 30д", "период")
    assert (str(setting), setting.variable) == ("TIMEZONE: например, Europe/Moscow", "TIMEZONE")


def test_only_owner_and_admin_run_the_bot() -> None:
    assert {role for role in Role if role.runs_the_bot} == {Role.OWNER, Role.ADMIN}


def test_the_client_dialled_us_only_on_incoming_calls() -> None:
    assert {direction for direction in Direction if direction.from_client} == {Direction.INCOMING, Direction.REDIRECTED}
