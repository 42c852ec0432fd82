"""The inside of the fake: its webinars, registration pages and subscribers, and what each method says of them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from integrations.bizon365.sessions import iso

DEFAULT_LIMITS = {"list": 20, "viewers": 50, "pages": 50, "subscribers": 50}
MOST = {"list": 100, "viewers": 1000, "pages": 50, "subscribers": 1000}
SAMPLE_UTM = ("source", "medium", "campaign", "term", "content", "keyword", "banner", "phrase", "group")

Params = Mapping[str, str]
Json = dict[str, object]


class Refusal(Exception):
    """An answer with an error status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeWebinar:
    """One session. ``looks_before_report``: how often it is asked for before its report is made."""

    webinar_id: str
    room_id: str
    title: str
    started_at: datetime
    minutes: int
    live: bool
    created_at: datetime
    viewers: list[Json]
    looks_before_report: int = 0


@dataclass(slots=True, kw_only=True)
class FakePage:
    """A registration page with whoever is registered on it."""

    page_id: str
    title: str
    room_id: str = ""
    is_on: bool = True
    webhook_url: str = ""
    marker_name: str = ""
    subscribers: list[Json] = field(default_factory=list)


class Account:
    """State that tests may look into and change. Nothing here knows of HTTP."""

    def __init__(self) -> None:
        self.webinars: dict[str, FakeWebinar] = {}
        self.pages: dict[str, FakePage] = {}
        self.may_read_reports = True
        self.may_register = True
        self.total_says: int | None = None  # in place of the true ``total`` of viewers
        self.tells_loaded = True
        self.most_a_page = 0  # fewer than asked for, when above 0
        self._looks: dict[str, int] = {}
        self.reads: dict[str, Callable[[Params], Json]] = {
            "reports/getlist": self._list,
            "reports/get": self._get,
            "reports/getviewers": self._viewers,
            "subpages/getSubpages": self._subpages,
            "subpages/getSubscribers": self._subscribers,
        }
        self.writes: dict[str, Callable[[Params], Json]] = {
            "subpages/addSubscriber": self._add,
            "subpages/removeSubscriber": self._remove,
        }

    def remake(self, webinar: FakeWebinar, viewers: list[Json], at: datetime) -> FakeWebinar:
        """The report is made anew, with other viewers and a later time."""
        self.webinars[webinar.webinar_id] = replace(webinar, viewers=viewers, created_at=at)
        return self.webinars[webinar.webinar_id]

    def carry_out(self, method: str, params: Params, *, writes: bool) -> Json:
        """What a method answers; Refusal for no right, no such thing, or a bad request."""
        known = self.writes if writes else self.reads
        if method not in known:
            raise Refusal(404, "Not found")
        allowed = self.may_read_reports if method.startswith("reports/") else self.may_register
        if not allowed:
            raise Refusal(403, "Forbidden")
        return known[method](params)

    def _made(self) -> list[FakeWebinar]:
        made = [one for one in self.webinars.values() if self._looks.get(one.webinar_id, 0) >= one.looks_before_report]
        return sorted(made, key=lambda one: one.created_at, reverse=True)

    def _list(self, params: Params) -> Json:
        since, until = _moment(params.get("minDate")), _moment(params.get("maxDate"))
        found = [one for one in self._made() if (not since or one.created_at >= since)]
        found = [one for one in found if not until or one.created_at <= until]
        if kind := params.get("type"):
            found = [one for one in found if one.live is (kind == "LiveWebinars")]
        skip, limit = _window(params, "list")
        return {
            "skip": skip,
            "limit": limit,
            "rooms": [],
            "count": len(found),
            "list": list(map(_item, found[skip : skip + limit])),
        }

    def _asked_for(self, params: Params) -> FakeWebinar | None:
        """The webinar, None while its report is not made; asking is what makes the time pass."""
        webinar = self.webinars.get(params.get("webinarId", ""))
        if webinar is None:
            return None
        looks = self._looks.get(webinar.webinar_id, 0)
        self._looks[webinar.webinar_id] = looks + 1
        return webinar if looks >= webinar.looks_before_report else None

    def _get(self, params: Params) -> Json:
        webinar = self._asked_for(params)
        if webinar is None:
            raise Refusal(404, "Report not found")
        meta = {str(viewer.get("chatUserId")): viewer for viewer in webinar.viewers}
        report = {
            "_id": f"r{webinar.webinar_id}",
            "group": webinar.room_id.partition(":")[0],
            "roomid": webinar.room_id,
            "webinarId": webinar.webinar_id,
            "created": iso(webinar.created_at),
            "ver": 2,
            "report": json.dumps({"usersMeta": meta}),
            "messages": "{}",
            "messagesTS": "{}",
        }
        return {"orders": [], "room_title": webinar.title, "report": report}

    def _viewers(self, params: Params) -> Json:
        webinar = self._asked_for(params)
        viewers = webinar.viewers if webinar else []
        skip, limit = _window(params, "viewers")
        page = viewers[skip : skip + (min(limit, self.most_a_page) if self.most_a_page else limit)]
        total = len(viewers) if self.total_says is None else self.total_says
        answer: Json = {"errors": [], "viewers": page, "total": total, "skip": skip, "limit": limit}
        return answer | ({"loaded": len(page)} if self.tells_loaded else {})

    def _subpages(self, params: Params) -> Json:
        skip, limit = _window(params, "pages")
        pages = list(self.pages.values())
        rooms = [{"id": page.room_id, "title": f"Комната «{page.title}»"} for page in pages if page.room_id]
        listed = [_page(page) for page in pages[skip : skip + limit]]
        return {"skip": skip, "limit": limit, "total": len(pages), "pages": listed, "rooms": rooms}

    def _subscribers(self, params: Params) -> Json:
        everybody = self._page(params).subscribers
        for name, member, after in (
            ("webinarTimeMin", "webinarTime", True),
            ("webinarTimeMax", "webinarTime", False),
            ("registeredTimeMin", "registeredTime", True),
            ("registeredTimeMax", "registeredTime", False),
        ):
            if bound := _moment(params.get(name)):
                everybody = [one for one in everybody if _keeps(_moment(str(one[member])), bound, after=after)]
        skip, limit = _window(params, "subscribers")
        listed = everybody[skip : skip + limit]
        return {"skip": skip, "limit": limit, "total": len(everybody), "list": listed}

    def _add(self, params: Params) -> Json:
        page = self._page(params)
        email = params.get("email", "")
        if "@" not in email:
            raise Refusal(400, "email is invalid")
        if not (at := _moment(params.get("time"))):
            raise Refusal(400, "time is invalid")
        key = f"k{len(page.subscribers) + 1:05d}"
        subscriber: Json = {
            "uid": key,
            "email": email,
            "confirmed": params.get("confirm") != "1",
            "username": params.get("username", ""),
            "phone": params.get("phone", ""),
            "secret": f"s{key}",
            "webinarTime": iso(at),
            "registeredTime": iso(datetime.now(UTC)),
            "clickBanner": 0,
            "vizitWebinar": 0,
            "vizitWebinarEnd": 0,
        }
        subscriber |= {f"utm_{name}": params[f"utm_{name}"] for name in SAMPLE_UTM if f"utm_{name}" in params}
        if "url_marker" in params:
            subscriber["url_marker"] = params["url_marker"]
        same = (email.casefold(), subscriber["webinarTime"])
        page.subscribers = [one for one in page.subscribers if (str(one["email"]).casefold(), one["webinarTime"]) != same]
        page.subscribers.append(subscriber)
        click = f"https://online.bizon365.ru/click/{key}"
        return {"hash": key, "url_default": click, "url_userdomain": f"https://webinar.example/click/{key}"}

    def _remove(self, params: Params) -> Json:
        page = self._page(params)
        before = len(page.subscribers)
        page.subscribers = [one for one in page.subscribers if one["email"] != params.get("email")]
        return {"deleted": before - len(page.subscribers), "ok": 1}

    def _page(self, params: Params) -> FakePage:
        page = self.pages.get(params.get("pageId", ""))
        if page is None:
            raise Refusal(404, "Page not found")
        return page


def _window(params: Params, kind: str) -> tuple[int, int]:
    """``skip`` and ``limit`` as the server takes them: a limit over the most is cut, none is the default."""
    limit = _whole(params.get("limit")) or DEFAULT_LIMITS[kind]
    return _whole(params.get("skip")), min(limit, MOST[kind])


def _whole(value: str | None) -> int:
    return int(value) if value and value.isdecimal() else 0


def _moment(value: str | None) -> datetime | None:
    """ISO in UTC, as the vendor wants it."""
    try:
        moment = datetime.fromisoformat(value or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _keeps(moment: datetime | None, bound: datetime, *, after: bool) -> bool:
    return moment is not None and (moment >= bound if after else moment <= bound)


def _item(webinar: FakeWebinar) -> Json:
    start = int(webinar.started_at.timestamp() * 1000)
    group = webinar.room_id.partition(":")[0]
    data = {"minutes": webinar.minutes, "roomid": webinar.room_id, "group": group, "start": start, "stat": 1}
    return {
        "_id": f"i{webinar.webinar_id}",
        "name": webinar.room_id,
        "text": webinar.title,
        "type": "LiveWebinars" if webinar.live else "AutoWebinars",
        "nerrors": 0,
        "count1": len(webinar.viewers) * 2 // 3,
        "count2": webinar.minutes,
        "data": json.dumps(data),
        "webinarId": webinar.webinar_id,
        "created": iso(webinar.created_at),
    }


def _page(page: FakePage) -> Json:
    came = sum(1 for one in page.subscribers if one["vizitWebinar"])
    return {
        "pageId": page.page_id,
        "title": page.title,
        "stat": {"registered": len(page.subscribers), "vizitWebinar": came, "webinarEnd": 0, "removed": 0},
        "sessionControl": True,
        "protectedLink": True,
        "isOn": page.is_on,
        "room": page.room_id,
        "closestTimeToSkip": 0,
        "daysNum": 2,
        "url_marker_name": page.marker_name,
        "webhook_url": page.webhook_url,
    }


def session_id(room_id: str, start: datetime) -> str:
    """The vendor's id of a session: the room and Moscow's wall time."""
    return f"{room_id}*{(start.astimezone(UTC) + timedelta(hours=3)).strftime('%Y-%m-%dT%H:%M:%S')}"
