"""Live pages: nothing is missed and nothing is told twice, whatever the connection does; who left costs nothing."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import msgspec
import pytest

from expediter.domain.order import Item, Order
from expediter.embedded.web.console import live
from expediter.embedded.web.console.live import Journal, marks
from expediter.embedded.web.feed import Feed

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "TICK", 0)
    monkeypatch.setattr(live, "RUSH", 0)
    monkeypatch.setattr(live, "LOOK", 0.01)


class Told:
    def __init__(self, text: bytes) -> None:
        lines = dict(line.split(": ", 1) for line in text.decode().strip().split("\n"))
        self.kind, self.place = lines["event"], lines.get("id", "")
        self.data: Any = json.loads(lines["data"])

    def rows(self) -> list[tuple[str, int]]:
        return [(row[0], row[1]) for row in self.data["rows"]]


class Tab:
    """A browser's tab: keeps the newest version of each order, and where it stands."""

    def __init__(self, seen: str) -> None:
        self.seen = seen
        self.orders: dict[str, int] = {}
        self.reloads = 0

    async def listen(self, events: AsyncGenerator[bytes], until: dict[str, int]) -> None:
        async with aclosing(events), asyncio.timeout(10):
            async for text in events:
                told = Told(text)
                self.seen = told.place or self.seen
                if told.kind == "reload":
                    self.reloads += 1
                    return
                for order_id, version in told.rows() if told.kind == "rows" else []:
                    assert version > self.orders.get(order_id, 0), "told twice"
                    self.orders[order_id] = version
                if self.orders == until:
                    return


def order(order_id: str, version: int = 1, at: int = 0) -> Order:
    items = (Item(name="a", quantity=1, unit_price=1),)
    return Order(order_id, "u", "r", items, "USD", created_at=at, updated_at=at, version=version)


def journal(feed: Feed) -> Journal:
    return Journal(feed, lambda: 0, dict)


async def settle() -> None:
    """Lets the journal take in what was published."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_tab_that_comes_back_is_told_what_it_missed_once() -> None:
    feed = Feed()
    written = journal(feed)
    tab = Tab(written.place())
    await settle()
    feed.publish(order("a", 1))
    feed.publish(order("b", 1))
    await tab.listen(written.follow(tab.seen), {"a": 1, "b": 1})

    feed.publish(order("a", 2))
    feed.publish(order("a", 3))
    feed.publish(order("c", 1))
    await settle()
    await tab.listen(written.follow(tab.seen), {"a": 3, "b": 1, "c": 1})

    assert tab.reloads == 0
    written.close()


async def test_a_place_of_another_process_or_of_long_ago_asks_for_a_fresh_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "KEPT", 2)
    feed = Feed()
    written = journal(feed)
    start = written.place()
    await settle()
    for name in "abc":
        feed.publish(order(name))
    await settle()
    for seen in (start, "another-1", "", "nonsense", f"{start.partition('-')[0]}-x"):
        tab = Tab(seen)
        await tab.listen(written.follow(seen), {})
        assert tab.reloads == 1
    written.close()


async def test_more_changes_at_once_than_the_feed_keeps_ask_for_a_fresh_page() -> None:
    feed = Feed()
    written = journal(feed)
    tab = Tab(written.place())
    await settle()
    for number in range(live.KEPT):
        feed.publish(order(str(number)))
    await settle()
    await tab.listen(written.follow(tab.seen), {})
    assert tab.reloads == 1
    written.close()


async def test_a_burst_is_sent_as_its_newest_rows_and_a_note_that_there_were_more() -> None:
    feed = Feed()
    written = journal(feed)
    seen = written.place()
    await settle()
    for number in range(300):
        feed.publish(order(f"{number:03}", at=number))
    await settle()
    async with aclosing(written.follow(seen)) as events:
        told = Told(await anext(events))
    assert told.data["behind"] is True
    assert [name for name, _ in told.rows()] == [f"{number:03}" for number in range(200, 300)]
    written.close()


async def test_a_tab_that_does_not_read_is_asked_to_load_again_and_holds_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live, "WAITING", 3)
    feed = Feed()
    written = journal(feed)
    events = written.follow(written.place())
    await settle()
    await anext(events)
    for number in range(10):
        feed.publish(order(str(number)))
        await settle()
    assert Told(await anext(events)).kind == "reload"
    await events.aclose()
    written.close()


async def test_the_feed_has_no_followers_while_no_tab_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LINGER", 0)
    feed = Feed()
    written = journal(feed)
    events = written.follow(written.place())
    await anext(events)
    await settle()
    assert feed.listeners == 1
    await events.aclose()
    assert written._task
    await asyncio.wait([written._task], timeout=5)
    assert feed.listeners == 0


async def test_a_page_hears_of_another_mark_and_of_the_same_one_never() -> None:
    feed = Feed()
    mark = "1"
    async with aclosing(marks(feed, "a", lambda: mark, "0")) as events, asyncio.timeout(5):
        assert Told(await anext(events)).place == "1"
        following = asyncio.ensure_future(anext(events))
        feed.publish(order("a"))
        await settle()
        assert not following.done()
        mark = "2"
        feed.publish(order("a"))
        assert Told(await following).place == "2"
    assert feed.listeners == 0


async def test_a_page_that_is_up_to_date_hears_nothing() -> None:
    feed = Feed()
    async with aclosing(marks(feed, "a", lambda: "7", "7")) as events:
        following = asyncio.ensure_future(anext(events))
        await settle()
        assert not following.done()
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


def test_an_event_is_one_line_of_data_whatever_is_in_it() -> None:
    text = live.event("rows", ["a\nb\r\nevent: x"], "p-1")
    assert text.count(b"\n") == 4
    assert msgspec.json.decode(text.split(b"data: ")[1]) == ["a\nb\r\nevent: x"]
