"""The settings: what is enough, what is half, and what each mistake says."""

import pytest

from domain.errors import ConfigError
from integrations.bizon365.settings import read_settings


def test_nothing_set_is_off_and_the_token_alone_is_enough() -> None:
    assert read_settings({}) is None
    assert read_settings({"BIZON365_TOKEN": "  "}) is None
    settings = read_settings({"BIZON365_TOKEN": " abc\n"})
    assert settings is not None
    assert (settings.token, settings.version) == ("abc", "v1")
    assert settings.api == "https://online.bizon365.ru/api/v1/webinars/"
    assert settings.zone.key == "Europe/Moscow"
    assert settings.url_params == ("svodka", "salebot")
    assert "abc" not in repr(settings)


def test_the_name_of_the_papers_and_the_second_version() -> None:
    settings = read_settings({"bizon365_token": "abc", "BIZON365_PROJECT_ID": " 77 "})
    assert settings is not None
    assert settings.version == "v2"
    assert settings.api == "https://online.bizon365.ru/api/v2/77/"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("online.bizon365.ru", "https://online.bizon365.ru"),
        ("https://online.bizon365.ru/api/v1/", "https://online.bizon365.ru"),
        ("https://online.bizon365.ru/api/v2/77/reports", "https://online.bizon365.ru"),
        ("http://127.0.0.1:8099/", "http://127.0.0.1:8099"),
        ("https://proxy.example/bizon/api", "https://proxy.example/bizon"),
    ],
)
def test_addresses(written: str, read: str) -> None:
    settings = read_settings({"BIZON365_TOKEN": "abc", "BIZON365_BASE_URL": written})
    assert settings is not None
    assert settings.base_url == read
    assert settings.on_loopback is ("127.0.0.1" in read)


def test_parameters_of_links() -> None:
    settings = read_settings({"BIZON365_TOKEN": "a", "BIZON365_URL_PARAM": " Mine, salebot ", "BIZON365_MARKER": "Salebot"})
    assert settings is not None
    assert (settings.url_params, settings.marker) == (("mine", "salebot"), "salebot")


@pytest.mark.parametrize(
    ("wrong", "variable"),
    [
        ({"BIZON365_PROJECT_ID": "77"}, "BIZON365_TOKEN"),
        ({"BIZON365_TIMEZONE": "Europe/Moscow"}, "BIZON365_TOKEN"),
        ({"BIZON365_TOKEN": "a b"}, "BIZON365_TOKEN"),
        ({"BIZON365_TOKEN": "токен"}, "BIZON365_TOKEN"),
        ({"BIZON365_TOKEN": "a", "BIZON365_PROJECT_ID": "мой проект"}, "BIZON365_PROJECT_ID"),
        ({"BIZON365_TOKEN": "a", "BIZON365_PROJECT_ID": "7/../8"}, "BIZON365_PROJECT_ID"),
        ({"BIZON365_TOKEN": "a", "BIZON365_BASE_URL": "http://online.bizon365.ru"}, "BIZON365_BASE_URL"),
        ({"BIZON365_TOKEN": "a", "BIZON365_BASE_URL": "https://u:p@bizon.example"}, "BIZON365_BASE_URL"),
        ({"BIZON365_TOKEN": "a", "BIZON365_BASE_URL": "https://bizon.example:port"}, "BIZON365_BASE_URL"),
        ({"BIZON365_TOKEN": "a", "BIZON365_BASE_URL": "https://адрес"}, "BIZON365_BASE_URL"),
        ({"BIZON365_TOKEN": "a", "BIZON365_TIMEZONE": "Москва"}, "BIZON365_TIMEZONE"),
        ({"BIZON365_TOKEN": "a", "BIZON365_TIMEZONE": "../etc"}, "BIZON365_TIMEZONE"),
        ({"BIZON365_TOKEN": "a", "BIZON365_URL_PARAM": "мой"}, "BIZON365_URL_PARAM"),
        ({"BIZON365_TOKEN": "a", "BIZON365_MARKER": "a b"}, "BIZON365_MARKER"),
        ({"BIZON365_TOKEN": "a", "BIZON365_RATE": "0"}, "BIZON365_RATE"),
        ({"BIZON365_TOKEN": "a", "BIZON365_RATE": "много"}, "BIZON365_RATE"),
        ({"BIZON365_TOKEN": "a", "BIZON365_REPORT_LIMIT": "0"}, "BIZON365_REPORT_LIMIT"),
        ({"BIZON365_TOKEN": "a", "b365_report_limit": "-5"}, "BIZON365_REPORT_LIMIT"),
    ],
)
def test_each_mistake_names_its_variable(wrong: dict[str, str], variable: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_settings(wrong)
    assert caught.value.variable == variable
    assert caught.value.hint


@pytest.mark.parametrize(("given", "taken"), [("", 10), ("1", 1), ("100", 100), ("101", 100)])
def test_reports_looked_through_are_at_most_a_hundred(given: str, taken: int, caplog: pytest.LogCaptureFixture) -> None:
    settings = read_settings({"BIZON365_TOKEN": "a", "b365_report_limit": given})
    assert settings is not None
    assert settings.report_limit == taken
    assert ("BIZON365_REPORT_LIMIT" in caplog.text) == (given == "101")
