"""What a request to the API is told that is not answered: in Russian, with what to do about it."""

from collections.abc import Mapping

from aiohttp import web

from bot.http.readable import readable


class Refusal(Exception):
    """``error`` is a sentence for people, ``code`` a stable word for programs, ``more`` what else is known: field, hint.

    None of them ever holds a key.
    """

    def __init__(self, status: int, code: str, error: str, *, headers: Mapping[str, str] | None = None, **more: str) -> None:
        super().__init__(code)
        self.status = status
        self._body = {"error": error, "code": code, **more}
        self._headers = dict(headers or {})

    def answer(self) -> web.Response:
        return readable(self._body, status=self.status, headers={"Cache-Control": "no-store", **self._headers})


def bad_value(field: str, wanted: str) -> Refusal:
    """400 of a parameter; ``wanted``: what it should have been."""
    return Refusal(400, "bad_parameter", f"{field}: {wanted}", field=field)
