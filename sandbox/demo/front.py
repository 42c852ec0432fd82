"""The demo's site and CRM: forms that Tilda sends, deals that amoCRM tells of, and the people who are behind both."""

import time
from collections.abc import Iterator
from typing import Any

from bot.keys import Keys
from integrations.amocrm.fake import Fake as Crm
from integrations.amocrm.fake_hooks import hook_headers
from integrations.tilda.fake import Fake as Tilda
from sandbox.demo.hall import HOOK_SECRET
from sandbox.demo.people import OTHERS, Lead
from sandbox.demo.told import Told

TILDA_SECRET = "the-secret-of-a-form-on-this-machine"  # noqa: S105 - opens nothing
FORM, QUESTION = "Расчёт уборки офиса", "Сколько стоит уборка офиса после ремонта?"
PIPELINE = 7301
STAGES = {58200001: "Первичный контакт", 58200002: "Расчёт отправлен", 58200003: "Договор", 142: "Успешно реализовано"}
MANAGER = 9001
AGAIN_FORM, AGAIN_HOOK = (60.0, 60.0), (300.0, 900.0)  # how long each of the two waits before it tries again
_LATER = "{vendor} пришлёт это ещё раз через {pause}. Запустите его."


class Front:
    """Tilda with one form, amoCRM with one pipeline. Forms and deals of OTHERS come in turns."""

    def __init__(self) -> None:
        keys = Keys(secret_keys=(), hook_secret=HOOK_SECRET, new=False)
        self.site = Tilda()
        self.crm = Crm()
        self.crm.add_pipeline(PIPELINE, "Продажи", STAGES)
        self.crm.add_user(MANAGER, "Олег Петров")
        self._crm_path = f"/hooks/amocrm/{keys.hook('amocrm')}"
        self._forms = self._deals = 0
        self._changed_at = 0

    def settings(self, url: str) -> dict[str, str]:
        """What joins the bot to both."""
        (token,) = self.crm.tokens
        return {"TILDA_SECRET": TILDA_SECRET, "AMOCRM_BASE_URL": url, "AMOCRM_ACCESS_TOKEN": token}

    @property
    def deals(self) -> list[dict[str, Any]]:
        return list(self.crm.account.leads.values())

    def state(self) -> str:
        """The newest deal, for the panel."""
        deals = self.deals
        if not deals:
            return "Сделок в amoCRM пока нет"
        newest = deals[-1]
        return f"Сделок в amoCRM: {len(deals)}, последняя — {newest['name']}, этап «{STAGES[newest['status_id']]}»"

    def send_form(self, who: Lead | None = None) -> Told:
        """A form, with the ad where Tilda keeps it. None: the next of the others."""
        if who is None:
            who = OTHERS[self._forms % len(OTHERS)]
            self._forms += 1
        source, medium, campaign = who.utm
        fields = {"Name": who.name, "Phone": who.phone, "Email": who.email, "Вопрос": QUESTION}
        body = self.site.form_body(fields, utm={"source": source, "medium": medium, "campaign": campaign}, name=FORM)
        lost = _LATER.format(vendor="Тильда", pause="минуту")
        return Told(path=f"/hooks/tilda/{TILDA_SECRET}", body=body, again=AGAIN_FORM, lost=lost)

    def add_deal(self, who: Lead | None = None) -> Iterator[Told]:
        """A manager enters a contact and its deal: two hooks, neither of which names the other's phone."""
        if who is None:
            who = OTHERS[self._deals % len(OTHERS)]
            self._deals += 1
        number, now = 4001 + len(self.deals), self._now()
        self.crm.add_lead(
            number, name=f"{FORM}: {who.name}", price=18_000, pipeline_id=PIPELINE, status_id=next(iter(STAGES)),
            responsible_user_id=MANAGER, created_at=now, updated_at=now,
        )  # fmt: skip
        self.crm.add_contact(number + 1000, who.phone_in_crm, leads=(number,), name=who.name, created_at=now, updated_at=now)
        yield self._hook(self.crm.contact_hook("add", number + 1000))
        yield self._hook(self.crm.lead_hook("add", number))

    def deal_of(self, who: Lead | None = None) -> dict[str, Any] | None:
        """Their newest deal, or of all the newest."""
        theirs = [deal for deal in self.deals if who is None or deal["name"].endswith(who.name)]
        return theirs[-1] if theirs else None

    def move_deal(self, deal: dict[str, Any]) -> Iterator[Told]:
        """It goes on to the next stage; amoCRM tells of that twice, as an update and as a change of stage."""
        stages = list(STAGES)
        before = deal["status_id"]
        deal |= {"status_id": stages[(stages.index(before) + 1) % len(stages)], "updated_at": self._now()}
        yield self._hook(self.crm.lead_hook("update", deal["id"]))
        yield self._hook(self.crm.lead_hook("status", deal["id"], old_status_id=before))

    def change_contact(self, deal: dict[str, Any]) -> Told:
        """Its contact gets an e-mail."""
        number = deal["_embedded"]["contacts"][0]["id"]
        contact = self.crm.account.contacts[number]
        phones = [one for one in contact["custom_fields_values"] if one["field_code"] == "PHONE"]
        mail = {"field_id": 2, "field_code": "EMAIL", "values": [{"value": f"client{number}.{self._now()}@example.com"}]}
        contact |= {"custom_fields_values": [*phones, mail], "updated_at": self._now()}
        return self._hook(self.crm.contact_hook("update", number))

    def _hook(self, body: bytes) -> Told:
        lost = _LATER.format(vendor="amoCRM", pause="5 минут")
        return Told(path=self._crm_path, body=body, headers=hook_headers(), again=AGAIN_HOOK, lost=lost)

    def _now(self) -> int:
        """Unix seconds, each later than the one before: two presses within a second are two changes."""
        self._changed_at = max(int(time.time()), self._changed_at + 1)
        return self._changed_at
