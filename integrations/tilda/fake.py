"""A Tilda of our own, for tests and the demo: a site whose forms are sent as Tilda sends them, with its patience."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

import aiohttp

ANSWER_SECONDS = 5.0
TRIES = 3  # «5 s, otherwise two more tries»
PROJECT = 4815162
FORM = "form342342342"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What was asked and how it was answered; status 0: not at all."""

    body: bytes
    status: int
    text: str


class Fake:
    """One site. ``as_json``: as the receivers of some sites meet it; ``key``: (name, value) of the API key in the body."""

    def __init__(self, hook_url: str = "", *, as_json: bool = False, key: tuple[str, str] | None = None) -> None:
        self.hook_url = hook_url
        self.as_json = as_json
        self.key = key
        self.sent: list[Sent] = []
        self._forms = 0

    def form_body(
        self, fields: Mapping[str, str], *, utm: Mapping[str, str] | None = None, name: str = "Запись на показ"
    ) -> bytes:
        """A form as it is posted; ``utm`` goes where Tilda keeps it, into the cookie string."""
        self._forms += 1
        whole = dict(fields) | {"tranid": f"{PROJECT}:{9000 + self._forms}", "formid": FORM, "formname": name}
        if utm is not None:
            whole["COOKIES"] = f"_ym_uid=1700000000000000000; {cookie_of(utm)}; tildauid=1700000000000.123456"
        if self.key is not None:
            whole[self.key[0]] = self.key[1]
        return json.dumps(whole, ensure_ascii=False).encode() if self.as_json else urlencode(whole).encode()

    async def save_webhook(self) -> Sent:
        """What Tilda asks when the address is saved in its settings; 200 is wanted."""
        return await self._post(b"test=test", "application/x-www-form-urlencoded")

    async def submit(self, body: bytes) -> Sent:
        """Until it is answered with 200, three times at most. The minute between the tries is left out."""
        kind = "application/json" if self.as_json else "application/x-www-form-urlencoded"
        for _ in range(TRIES):
            sent = await self._post(body, kind)
            if sent.status == 200:
                break
        return sent

    async def _post(self, body: bytes, kind: str) -> Sent:
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.post(self.hook_url, data=body, headers={"Content-Type": kind}) as answer,
            ):
                sent = Sent(body=body, status=answer.status, text=await answer.text())
        except (aiohttp.ClientError, TimeoutError):
            sent = Sent(body=body, status=0, text="")
        self.sent.append(sent)
        return sent


def cookie_of(utm: Mapping[str, str]) -> str:
    """TILDAUTM as a site's script writes it: pairs, each with a separator after it, coded as one value."""
    pairs = "".join(f"utm_{name}={value}|||" for name, value in utm.items())
    return f"TILDAUTM={quote(pairs, safe='')}"
