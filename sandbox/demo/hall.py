"""The demo's webinar platform: sessions that end with three hundred odd viewers, people who register, who is registered."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from bot.keys import Keys
from integrations.bizon365.fake import Fake
from integrations.bizon365.fake_account import Json, session_id
from integrations.bizon365.fake_viewers import email_of, phone_of, quirky_viewers
from sandbox.demo.people import HEROINE
from sandbox.demo.told import JSON, Told

VIEWERS = 300
CAME, ABSENT = (0, 3, 4, 9), (9001, 9002, 9003)  # numbers of people: the first are among the viewers
CLIENT = 1  # the number of the viewer who is the heroine: a plain one, who had not registered
ROOM, PAGE = "111222:chistota", "111222:zapis"
TITLE = "Чистый офис: сколько это стоит на самом деле"
LENGTH_MINUTES = 90
HOOK_SECRET = "the root of hook addresses of a demo on this machine"  # noqa: S105 - opens nothing
_NAMES = ("Ирина Белова", "Олег Фомин", "Наталья Гусева", "Кирилл Зимин", "Вера Котова", "Антон Лис", "Юлия Мороз")


class Hall:
    """Bizon365 with one room and one registration page."""

    def __init__(self) -> None:
        self.platform = Fake()
        self._key = Keys(secret_keys=(), hook_secret=HOOK_SECRET, new=False).hook("bizon365")
        self._page = self.platform.add_page(PAGE, "Запись на вебинар о чистом офисе", room_id=ROOM, marker_name="svodka")
        self._newcomers = 0
        for number in range(3):
            self._subscribe(9100 + number, self.next_session + timedelta(days=7 * number))

    def settings(self, url: str) -> dict[str, str]:
        """What joins the bot to it."""
        return {
            "BIZON365_TOKEN": self.platform.token,
            "BIZON365_PROJECT_ID": self.platform.project_id,
            "BIZON365_BASE_URL": url,
            "HOOK_SECRET": HOOK_SECRET,
        }

    @property
    def subscribers(self) -> list[str]:
        """E-mails registered on the page, in the order they came."""
        return [str(one["email"]) for one in self._page.subscribers]

    @property
    def next_session(self) -> datetime:
        """Noon of Moscow, two days ahead."""
        return (datetime.now(UTC) + timedelta(days=2)).replace(hour=9, minute=0, second=0, microsecond=0)

    def end_webinar(self) -> Iterator[Told]:
        """Some had registered, and not all of them came; then the report is made."""
        start = (datetime.now(UTC) - timedelta(minutes=LENGTH_MINUTES + 5)).replace(second=0, microsecond=0)
        while session_id(ROOM, start) in self.platform.account.webinars:
            start -= timedelta(minutes=1)
        for person in (*CAME, *ABSENT):
            yield self._registration(person, start)
        webinar = self.platform.add_webinar(
            viewers=list(_viewers(start)), started_at=start, room_id=ROOM, title=TITLE, minutes=LENGTH_MINUTES
        )
        yield Told(path=f"/hooks/bizon365/{self._key}", body=self.platform.report_body(webinar), headers=JSON)

    def register_somebody(self) -> Told:
        """Somebody new fills in the page for the next session."""
        self._newcomers += 1
        return self._registration(9200 + self._newcomers, self.next_session)

    def _registration(self, person: int, at: datetime) -> Told:
        self._subscribe(person, at)
        contacts = {"email": email_of(person), "phone": f"+{phone_of(person)}", "username": _NAMES[person % len(_NAMES)]}
        body = self.platform.registration_body(self._page, at=at, **contacts)
        return Told(path=f"/bizon_webhook/{self._key}", body=body, headers=JSON)

    def _subscribe(self, person: int, at: datetime) -> None:
        asked = {"pageId": PAGE, "email": email_of(person), "phone": f"+{phone_of(person)}", "time": at.isoformat()}
        self.platform.account.carry_out("subpages/addSubscriber", asked, writes=True)


def _viewers(start: datetime) -> Iterator[Json]:
    """The crowd with the heroine in it: her phone as she writes it there, no e-mail, an hour of watching."""
    for number, record in enumerate(quirky_viewers(session_id(ROOM, start), start, LENGTH_MINUTES, VIEWERS)):
        if number == CLIENT:
            came = int((start + timedelta(minutes=20)).timestamp() * 1000)
            name, _, _ = HEROINE.name.partition(" ")
            record |= {"username": name, "phone": HEROINE.phone_in_room, "email": ""}
            record |= {"view": came, "viewTill": came + 63 * 60_000}
        yield record
