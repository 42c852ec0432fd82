"""Bizon365 as a platform, against the fake: paging that believes nobody, late reports, registration that can be found."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest

from domain.errors import NotReady, VendorRefused, VendorUnavailable
from domain.ports import WebinarPlatform
from domain.webinars import Marks, PageId, RegistrationRequest, ViewerPage
from integrations.bizon365.fake import Scripted
from integrations.bizon365.platform import ADD, LIST, REPORT, SUBPAGES, SUBSCRIBERS, VIEWERS, VIEWERS_A_PAGE
from tests.ground import until
from tests.integrations.bizon365.conftest import NOW, Shop

T = TypeVar("T")
PAGE = PageId("111222:page1")
SESSION = datetime(2026, 9, 16, 9, 0, tzinfo=UTC)  # 12:00 in Moscow


async def listed(pages: AsyncIterator[T]) -> list[T]:
    return [page async for page in pages]


def names(pages: list[ViewerPage]) -> list[str]:
    return [viewer.chat_user_id for page in pages for viewer in page.viewers]


def plain(count: int) -> list[dict[str, object]]:
    return [{"chatUserId": f"u{number}"} for number in range(count)]


def test_it_is_a_platform(shop: Shop) -> None:
    platform: WebinarPlatform = shop.webinars
    assert platform


@pytest.mark.parametrize("shop", ["v1", "v2"], indirect=True)
async def test_2350_viewers_come_by_three_requests(shop: Shop) -> None:
    webinar = shop.fake.add_webinar(viewers=2350)
    pages = await listed(shop.webinars.viewers(webinar.webinar_id))
    assert [len(page.viewers) for page in pages] == [1000, 1000, 350]
    assert [(asked["skip"], asked["limit"]) for asked in shop.fake.asked(VIEWERS)] == [
        ("0", "1000"),
        ("1000", "1000"),
        ("2000", "1000"),
    ]
    assert {asked["webinarId"] for asked in shop.fake.asked(VIEWERS)} == {webinar.webinar_id}
    assert [page.total for page in pages] == [2350] * 3


@pytest.mark.parametrize("total", [0, 1, 1000, 99999])
@pytest.mark.parametrize("count", [999, 1000, 2500])
async def test_the_total_may_lie(shop: Shop, total: int, count: int) -> None:
    webinar = shop.fake.add_webinar(viewers=plain(count))
    shop.fake.account.total_says = total
    pages = await listed(shop.webinars.viewers(webinar.webinar_id))
    assert names(pages) == [f"u{number}" for number in range(count)]


async def test_a_server_that_gives_less_than_asked(shop: Shop) -> None:
    webinar = shop.fake.add_webinar(viewers=plain(230))
    shop.fake.account.most_a_page, shop.fake.account.tells_loaded = 50, False
    assert names(await listed(shop.webinars.viewers(webinar.webinar_id))) == [f"u{number}" for number in range(230)]
    assert [asked["skip"] for asked in shop.fake.asked(VIEWERS)] == ["0", "50", "100", "150", "200"]


async def test_what_was_loaded_counts_what_was_left_out(shop: Shop) -> None:
    webinar = shop.fake.add_webinar(viewers=plain(4))
    body = b'{"viewers": [{"chatUserId": "a"}, 5, null], "loaded": %d, "total": 9}'
    shop.fake.answer(VIEWERS, Scripted(status=200, body=body % 5))
    pages = await listed(shop.webinars.viewers(webinar.webinar_id))
    assert (len(pages[0].viewers), pages[0].skipped) == (1, 2)
    assert [asked["skip"] for asked in shop.fake.asked(VIEWERS)] == ["0", "5"]


async def test_a_server_that_repeats_its_page_ends(shop: Shop) -> None:
    webinar = shop.fake.add_webinar(viewers=plain(3))
    body = b'{"viewers": [{"chatUserId": "a"}], "total": 50}'
    shop.fake.answer(VIEWERS, Scripted(status=200, body=body), times=None)
    assert names(await listed(shop.webinars.viewers(webinar.webinar_id))) == ["a"]
    assert len(shop.fake.asked(VIEWERS)) == 2


async def test_a_reading_goes_on_after_a_bookmark(shop: Shop) -> None:
    webinar = shop.fake.add_webinar(viewers=plain(2350))
    first, second, third = await listed(shop.webinars.viewers(webinar.webinar_id))
    shop.fake.requests.clear()
    assert await listed(shop.webinars.viewers(webinar.webinar_id, since=first.bookmark)) == [second, third]
    assert [asked["skip"] for asked in shop.fake.asked(VIEWERS)] == ["1000", "2000"]
    assert await listed(shop.webinars.viewers(webinar.webinar_id, since=third.bookmark)) == []
    assert shop.webinars.reread(webinar.webinar_id, [viewer.raw for viewer in second.viewers]) == list(second.viewers)


async def test_a_page_that_is_repeated_after_a_bookmark_ends_too(shop: Shop) -> None:
    webinar = shop.fake.add_webinar(viewers=plain(3))
    body = b'{"viewers": [{"chatUserId": "a"}], "total": 50}'
    shop.fake.answer(VIEWERS, Scripted(status=200, body=body), times=None)
    (only,) = await listed(shop.webinars.viewers(webinar.webinar_id))
    assert await listed(shop.webinars.viewers(webinar.webinar_id, since=only.bookmark)) == []


async def test_pages_are_fetched_ahead_but_not_far(shop: Shop) -> None:
    webinar = shop.fake.add_webinar(viewers=plain(9 * VIEWERS_A_PAGE))
    pages = shop.webinars.viewers(webinar.webinar_id)
    await anext(pages)
    await until(lambda: len(shop.fake.asked(VIEWERS)) == 4)
    await asyncio.sleep(0.1)
    assert len(shop.fake.asked(VIEWERS)) == 4  # one given, two waiting, one more at the door
    await pages.aclose()  # type: ignore[attr-defined]
    assert len(shop.fake.asked(VIEWERS)) == 4


async def test_one_report_at_a_time(shop: Shop) -> None:
    first, second = (shop.fake.add_webinar(viewers=plain(2500), started_at=NOW - timedelta(hours=hours)) for hours in (3, 5))
    both = await asyncio.gather(*(listed(shop.webinars.viewers(one.webinar_id)) for one in (first, second)))
    assert [len(names(pages)) for pages in both] == [2500, 2500]
    assert shop.fake.most_at_once == 1


async def test_a_failure_comes_after_the_pages_before_it(shop: Shop) -> None:
    webinar = shop.fake.add_webinar(viewers=plain(2500))
    shop.fake.answer(VIEWERS, Scripted(status=200, body=b'{"viewers": [{"chatUserId": "a"}], "total": 2}'))
    shop.fake.fail(VIEWERS, 503)
    pages = shop.webinars.viewers(webinar.webinar_id)
    assert names([await anext(pages)]) == ["a"]
    with pytest.raises(VendorUnavailable):
        await anext(pages)


async def test_a_late_report_is_not_an_empty_one(shop: Shop) -> None:
    webinar = shop.fake.add_webinar(viewers=12, looks_before_report=3)
    assert await shop.webinars.report(webinar.webinar_id) is None  # two looks: by itself, then at its viewers
    with pytest.raises(NotReady):
        await listed(shop.webinars.viewers(webinar.webinar_id))
    report = await shop.webinars.report(webinar.webinar_id)
    assert report is not None
    assert (report.title, report.minutes) == ("Как выбрать квартиру", 90)
    assert len(names(await listed(shop.webinars.viewers(webinar.webinar_id)))) == 12


async def test_an_unknown_session_is_not_ready(shop: Shop) -> None:
    for unknown in ("abc123", "111222:room1*2026-11-20T19:00:00", "нет такого"):
        assert await shop.webinars.report(unknown) is None
        with pytest.raises(NotReady):
            await listed(shop.webinars.viewers(unknown))
        shop.fake.fail(VIEWERS, 404)
        with pytest.raises(NotReady):
            await listed(shop.webinars.viewers(unknown))


async def test_nobody_came_only_when_the_report_says_so(shop: Shop) -> None:
    webinar = shop.fake.add_webinar(viewers=0)
    (page,) = await listed(shop.webinars.viewers(webinar.webinar_id))
    assert (page.viewers, page.total) == ((), 0)
    counted = shop.fake.add_webinar(viewers=9, started_at=NOW)
    shop.fake.answer(VIEWERS, Scripted(status=200, body=b'{"viewers": [], "errors": []}'))
    with pytest.raises(NotReady):
        await listed(shop.webinars.viewers(counted.webinar_id))


@pytest.mark.parametrize("body", [b'{"errors": []}', b'{"viewers": null}', b'{"viewers": {"a": 1}}'])
async def test_an_answer_without_viewers_is_a_failure(shop: Shop, body: bytes) -> None:
    shop.fake.answer(VIEWERS, Scripted(status=200, body=body))
    with pytest.raises(VendorUnavailable):
        await listed(shop.webinars.viewers("1:a*2026-11-20T19:00:00"))


async def test_a_report_that_only_its_own_method_knows(shop: Shop) -> None:
    webinar = shop.fake.add_webinar(viewers=3)
    shop.fake.answer(LIST, Scripted(status=200, body=b'{"list": [], "count": 0}'), times=None)
    report = await shop.webinars.report(webinar.webinar_id)
    assert report is not None
    assert (report.title, report.started_at) == ("Как выбрать квартиру", webinar.started_at)
    shop.fake.answer(REPORT, Scripted(status=200, body=b'{"orders": [], "report": null}'))
    report = await shop.webinars.report(webinar.webinar_id)
    assert report is not None
    assert (report.title, report.started_at, report.room_id) == ("", webinar.started_at, "111222:room1")
    shop.fake.fail(REPORT, 403)
    with pytest.raises(VendorRefused):
        await shop.webinars.report(webinar.webinar_id)


async def test_reports_newest_first_and_since(shop: Shop) -> None:
    for number in range(230):
        at = NOW - timedelta(hours=number)
        shop.fake.add_webinar(viewers=0, started_at=at - timedelta(hours=2), created_at=at)
    newest = await shop.webinars.reports(since=None, limit=10)
    assert [report.created_at for report in newest] == [NOW - timedelta(hours=number) for number in range(10)]
    assert len(shop.fake.asked(LIST)) == 1
    assert len(await shop.webinars.reports(since=None, limit=1000)) == 230
    recent = await shop.webinars.reports(since=NOW - timedelta(hours=5), limit=100)
    assert len(recent) == 6


async def test_a_server_that_lists_the_oldest_first_and_knows_no_dates(shop: Shop) -> None:
    def page(begin: int, end: int) -> bytes:
        import json

        made = (NOW - timedelta(days=200 - number) for number in range(begin, end))
        items = [{"webinarId": f"1:a*{number}", "created": at.isoformat()} for number, at in enumerate(made, begin)]
        return json.dumps({"list": items, "count": 180}).encode()

    for begin, end in ((0, 100), (100, 180)):
        shop.fake.answer(LIST, Scripted(status=200, body=page(begin, end)))
    (newest,) = await shop.webinars.reports(since=NOW - timedelta(days=21), limit=10)
    assert newest.external_id == "1:a*179"
    assert len(shop.fake.asked(LIST)) == 2


async def test_rooms_from_wherever_they_are_told(shop: Shop) -> None:
    shop.fake.add_page(room_id="111222:room2", title="Весна")
    shop.fake.add_webinar(viewers=0)
    rooms = {room.room_id: room.title for room in await shop.webinars.rooms()}
    assert rooms == {"111222:room2": "Комната «Весна»", "111222:room1": "Как выбрать квартиру"}
    shop.fake.account.may_register = False
    assert [room.room_id for room in await shop.webinars.rooms()] == ["111222:room1"]


async def test_registration_pages(shop: Shop) -> None:
    for number in range(60):
        shop.fake.add_page(f"111222:page{number}", f"Страница {number}", webhook_url="https://a.example/x")
    shop.fake.add_page("111222:off", is_on=False, marker_name="svodka", room_id="")
    pages = await shop.webinars.pages()
    assert [page.page_id for page in pages] == [*(f"111222:page{number}" for number in range(60)), "111222:off"]
    assert (pages[0].title, pages[0].room_id, pages[0].enabled) == ("Страница 0", "111222:room1", True)
    assert (pages[0].hook_url, pages[-1].marker_name, pages[-1].enabled) == ("https://a.example/x", "svodka", False)


async def test_sessions_are_those_somebody_is_registered_for(shop: Shop) -> None:
    def registered(*days: int) -> list[dict[str, object]]:
        times = [(NOW + timedelta(days=number)).isoformat() for number in days]
        return [{"uid": "k", "email": "a@b.ru", "webinarTime": at, "registeredTime": at, "vizitWebinar": 0} for at in times]

    shop.fake.add_page("1:open").subscribers = registered(3, 1, 1, -5)
    shop.fake.add_page("1:past").subscribers = registered(-5)
    shop.fake.add_page("1:empty")
    shop.fake.add_page("1:off", is_on=False).subscribers = registered(2)
    pages = {page.page_id: page for page in await shop.webinars.pages()}
    assert pages[PageId("1:open")].sessions == (NOW + timedelta(days=1), NOW + timedelta(days=3))
    assert [pages[PageId(name)].sessions for name in ("1:past", "1:empty", "1:off")] == [(), (), ()]
    assert [asked["pageId"] for asked in shop.fake.asked(SUBSCRIBERS)] == ["1:open", "1:past"]
    shop.fake.fail(SUBSCRIBERS, 403, times=2)
    assert [page.sessions for page in await shop.webinars.pages()] == [()] * 4


async def test_registering_sends_what_was_given_and_can_be_found(shop: Shop) -> None:
    shop.fake.add_page()
    marks = Marks(
        source="vk", medium="cpc", campaign="c", term="t", content="x", keyword="k", banner="b", phrase="p", group="g"
    )
    request = RegistrationRequest(
        page_id=PAGE, email="Anna@Example.com", at=SESSION, name="Анна & Ко", phone="79001234567", confirm=True, marks=marks
    )
    done = await shop.webinars.register(request)
    assert done.link.startswith("https://webinar.example/click/")
    (sent,) = shop.fake.asked(ADD)
    assert sent == {
        "pageId": "111222:page1",
        "email": "Anna@Example.com",
        "time": "2026-09-16T09:00:00.000Z",
        "username": "Анна & Ко",
        "phone": "79001234567",
        "confirm": "1",
        **{f"utm_{name}": getattr(marks, name) for name in (*Marks.__slots__,) if name != "partner"},
    }
    assert shop.fake.requests[-1].content_type == "application/json"
    found = await shop.webinars.find_subscriber(PAGE, " anna@example.COM", session_at=SESSION)
    assert found is not None
    assert (found.key, found.session_at, found.came, found.confirmed) == (done.key, SESSION, False, False)
    assert found.marks.phrase == "p"
    assert await shop.webinars.find_subscriber(PAGE, "anna@example.com", session_at=SESSION + timedelta(hours=2)) is None
    assert await shop.webinars.find_subscriber(PAGE, "boris@example.com", session_at=None) is None


async def test_what_was_not_given_is_not_sent(shop: Shop) -> None:
    shop.fake.add_page()
    await shop.webinars.register(RegistrationRequest(page_id=PAGE, email="a@example.com", at=SESSION))
    assert shop.fake.asked(ADD) == [{"pageId": "111222:page1", "email": "a@example.com", "time": "2026-09-16T09:00:00.000Z"}]
    shop.fake.answer(ADD, Scripted(status=200, body=b'{"hash": "k9", "url_default": "https://d/click/k9"}'))
    done = await shop.webinars.register(RegistrationRequest(page_id=PAGE, email="b@example.com"))
    assert (done.key, done.link) == ("k9", "https://d/click/k9")
    assert "time" not in shop.fake.asked(ADD)[-1]


async def test_registering_twice_leaves_one_subscriber(shop: Shop) -> None:
    page = shop.fake.add_page()
    request = RegistrationRequest(page_id=PAGE, email="a@example.com", at=SESSION)
    await shop.webinars.register(request)
    await shop.webinars.register(request)
    assert len(page.subscribers) == 1


async def test_a_lost_answer_to_a_registration_is_uncertain_and_the_person_is_there(shop: Shop) -> None:
    shop.fake.add_page()
    request = RegistrationRequest(page_id=PAGE, email="a@example.com", at=SESSION)
    shop.fake.fail(ADD, 502, after=True)
    with pytest.raises(VendorUnavailable) as caught:
        await shop.webinars.register(request)
    assert caught.value.uncertain
    assert len(shop.fake.asked(ADD)) == 1
    assert await shop.webinars.find_subscriber(PAGE, "a@example.com", session_at=SESSION)
    shop.fake.answer(ADD, Scripted(status=200, body=b'{"ok": 1}'))
    with pytest.raises(VendorUnavailable) as caught:
        await shop.webinars.register(request)
    assert caught.value.uncertain


async def test_refused_registrations(shop: Shop) -> None:
    shop.fake.add_page()
    with pytest.raises(VendorRefused) as caught:
        await shop.webinars.register(RegistrationRequest(page_id=PAGE, email="без собаки", at=SESSION))
    assert caught.value.code == "bad_request"
    with pytest.raises(VendorRefused) as caught:
        await shop.webinars.register(RegistrationRequest(page_id=PageId("111222:room1"), email="a@b.ru", at=SESSION))
    assert "комнаты" in caught.value.hint


async def test_subscribers_page_after_page_and_of_one_session(shop: Shop) -> None:
    page = shop.fake.add_page()
    for number in range(2300):
        at = (SESSION + timedelta(hours=number % 2)).isoformat()
        page.subscribers.append(
            {"uid": f"k{number}", "email": f"a{number}@example.com", "webinarTime": at, "registeredTime": at}
        )
    everybody = await listed(shop.webinars.subscribers(PAGE))
    assert [len(some) for some in everybody] == [1000, 1000, 300]
    assert everybody[0][0].came is None
    of_one = await listed(shop.webinars.subscribers(PAGE, session_at=SESSION))
    assert sum(map(len, of_one)) == 1150
    asked = shop.fake.asked(SUBSCRIBERS)[-1]
    assert (asked["webinarTimeMin"], asked["webinarTimeMax"]) == ("2026-09-16T08:59:00.000Z", "2026-09-16T09:01:00.000Z")


async def test_subscribers_of_the_sessions_around_one(shop: Shop) -> None:
    page = shop.fake.add_page()
    for minutes in (-121, -119, 0, 119, 121):
        at = (SESSION + timedelta(minutes=minutes)).isoformat()
        page.subscribers.append({"uid": f"k{minutes}", "webinarTime": at, "registeredTime": at})
    (some,) = await listed(shop.webinars.subscribers(PAGE, session_at=SESSION, apart=timedelta(hours=2)))
    assert [one.key for one in some] == ["k-119", "k0", "k119"]


async def test_the_filter_by_session_is_checked(shop: Shop) -> None:
    shop.fake.add_page()
    body = b'{"list": [{"uid": "a", "webinarTime": "2026-09-16T09:00:00.000Z"}, {"uid": "b"}, 5], "total": 3}'
    shop.fake.answer(SUBSCRIBERS, Scripted(status=200, body=body))
    (some,) = await listed(shop.webinars.subscribers(PAGE, session_at=SESSION))
    assert [one.key for one in some] == ["a"]


@pytest.mark.parametrize("action", [LIST, SUBPAGES])
async def test_a_list_that_is_not_there_is_a_failure(shop: Shop, action: str) -> None:
    shop.fake.answer(action, Scripted(status=200, body=b'{"message": "hello"}'))
    with pytest.raises(VendorUnavailable):
        await (shop.webinars.reports(since=None, limit=5) if action == LIST else shop.webinars.pages())
