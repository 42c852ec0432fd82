"""What a person may write into the settings, and what they are told when it is wrong."""

import pytest

from domain.errors import ConfigError
from integrations.bitrix24 import VENDOR
from integrations.bitrix24.settings import Settings, read_settings

URL = "https://portal.example/rest/7/s3cretc0de"


def read(**env: str) -> Settings:
    settings = read_settings(env)
    assert settings is not None
    return settings


def test_nothing_set_is_off() -> None:
    assert read_settings({}) is None
    assert read_settings({"BITRIX24_WEBHOOK_URL": "  ", "BITRIX24_APPLICATION_TOKEN": ""}) is None


@pytest.mark.parametrize("name", ["BITRIX24_WEBHOOK_URL", "BITRIX_WEBHOOK_URL"])
@pytest.mark.parametrize("tail", ["", "/", "/profile", "/profile.json", "/profile/"])
def test_both_names_and_the_missing_slash(name: str, tail: str) -> None:
    settings = read(**{name: f" {URL}{tail} "})
    assert settings.webhook_url == URL + "/"
    assert (settings.secret, settings.host, settings.origin) == ("s3cretc0de", "portal.example", "https://portal.example")
    assert settings.portal_url == "https://portal.example"
    assert not settings.on_loopback


def test_everything_set() -> None:
    settings = read(
        BITRIX24_WEBHOOK_URL="portal.example/bitrix/rest/7/code",
        BITRIX_PORTAL_URL="https://cards.example/",
        BITRIX24_APPLICATION_TOKEN=" new , old,",
        BITRIX24_RECORD_HOSTS="PBX.example, https://records.example:8443/x",
    )
    assert settings.webhook_url == "https://portal.example/bitrix/rest/7/code/"
    assert settings.portal_url == "https://cards.example"
    assert settings.application_tokens == ("new", "old")
    assert settings.record_hosts == ("pbx.example", "records.example")


def test_the_portal_below_a_folder_is_kept() -> None:
    assert read(BITRIX24_WEBHOOK_URL="https://box.example/b24/rest/1/code/").portal_url == "https://box.example/b24"


def test_a_test_server_may_speak_plainly() -> None:
    settings = read(BITRIX24_WEBHOOK_URL="http://127.0.0.1:8123/rest/1/code")
    assert (settings.origin, settings.on_loopback) == ("http://127.0.0.1:8123", True)


@pytest.mark.parametrize(
    "env",
    [
        {"BITRIX24_WEBHOOK_URL": "https://portal.example/"},
        {"BITRIX24_WEBHOOK_URL": "https://portal.example/rest/"},
        {"BITRIX24_WEBHOOK_URL": "https://portal.example/rest/[USER_ID]/[TOKEN]/"},
        {"BITRIX24_WEBHOOK_URL": "https://portal.example/rest/abc/s3cretc0de/"},
        {"BITRIX24_WEBHOOK_URL": URL + "/?auth=1"},
        {"BITRIX24_WEBHOOK_URL": URL + "/crm.deal.list"},
        {"BITRIX24_WEBHOOK_URL": "http://portal.example/rest/7/s3cretc0de/"},
        {"BITRIX24_WEBHOOK_URL": "ftp://portal.example/rest/7/s3cretc0de/"},
        {"BITRIX24_WEBHOOK_URL": "https://ваш-портал.bitrix24.ru/rest/7/s3cretc0de/"},
        {"BITRIX24_WEBHOOK_URL": "https://user:s3cretc0de@portal.example/rest/7/s3cretc0de/"},
        {"BITRIX24_WEBHOOK_URL": "https://portal.example:port/rest/7/s3cretc0de/"},
        {"BITRIX24_WEBHOOK_URL": "https:///rest/7/s3cretc0de/"},
        {"BITRIX_WEBHOOK_URL": "https://[::1/rest/7/s3cretc0de/"},
        {"BITRIX24_APPLICATION_TOKEN": "s3cretc0de"},
        {"BITRIX_PORTAL_URL": "https://portal.example"},
    ],
)
def test_a_wrong_webhook_is_named_and_not_repeated(env: dict[str, str]) -> None:
    with pytest.raises(ConfigError) as caught:
        read_settings(env)
    assert caught.value.variable == "BITRIX24_WEBHOOK_URL"
    assert "s3cretc0de" not in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("name", "value"), [("BITRIX24_PORTAL_URL", "http://portal.example"), ("BITRIX24_RECORD_HOSTS", "pbx.example,два слова")]
)
def test_the_other_variables_are_named_too(name: str, value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_settings({"BITRIX24_WEBHOOK_URL": URL, name: value})
    assert caught.value.variable == name


def test_no_secret_in_the_representation() -> None:
    settings = read(BITRIX24_WEBHOOK_URL=URL, BITRIX24_APPLICATION_TOKEN="app-t0ken")
    assert "s3cretc0de" not in repr(settings)
    assert "app-t0ken" not in repr(settings)
    assert {variable.name for variable in VENDOR.variables if variable.secret} == {
        "BITRIX24_WEBHOOK_URL",
        "BITRIX24_APPLICATION_TOKEN",
    }


@pytest.mark.parametrize(("given", "rate"), [("", 2.0), ("5", 5.0), ("50", 50.0), ("2,5", 2.5)])
def test_the_rate_is_the_clouds_unless_said_otherwise(given: str, rate: float) -> None:
    env = {"BITRIX24_WEBHOOK_URL": "https://portal.example/rest/1/code/", "BITRIX24_RATE": given}
    settings = read_settings(env)
    assert settings is not None
    assert settings.rate == rate


@pytest.mark.parametrize("given", ["0", "-1", "fast", "1e9"])
def test_a_rate_that_is_no_rate_is_refused(given: str) -> None:
    env = {"BITRIX24_WEBHOOK_URL": "https://portal.example/rest/1/code/", "BITRIX24_RATE": given}
    with pytest.raises(ConfigError, match="BITRIX24_RATE"):
        read_settings(env)
