"""Live pages: every open tab gets each change once, as server-sent events.

https://html.spec.whatwg.org/multipage/server-sent-events.html

The list of orders gets rows. Each event's id is a position in the journal of changes. A tab that comes back sends the
last id that it saw. It gets the newest state of every order that changed since, or has to load the page again when that
is too long ago. Rows have versions, so a row that is sent twice is drawn once. Rows are rendered once for all tabs, ten
times a second at most, and only while a tab is open.

Every other page gets a mark: a text that changes whenever the page would. The tab loads the page again when the mark is
another one than it has. So no change between two marks is lost.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from typing import NamedTuple

import msgspec

from expediter.console import words
from expediter.domain.order import Order
from expediter.embedded.clock import new_id
from expediter.embedded.web.feed import Feed
from expediter.embedded.web.shares import Places, Shares

#: Seconds between events of one tab at least, and seconds after which a page's mark is computed again.
TICK, LOOK = 0.1, 1.0
#: Seconds between events while each is full of rows: nobody reads faster.
RUSH = 0.3
#: Seconds that the journal goes on after the last page was sent or the last tab was closed.
LINGER = 60.0
#: Changed orders that the journal remembers, rows of one event, and events that wait for one tab.
KEPT, ROWS, WAITING = 5_000, 100, 64

_encode = msgspec.json.encode


def event(kind: str, data: object, place: str = "") -> bytes:
    """One event. ``data``: JSON on one line."""
    head = f"id: {place}\n" if place else ""
    return f"{head}event: {kind}\ndata: ".encode() + _encode(data) + b"\n\n"


class LivePage(NamedTuple):
    """What a page that is open follows. ``link``: the order whose customer opened it; None: the operator ``who`` did,
    whose session stands for the ``cookie`` (empty: nobody signs in here).
    """

    events: AsyncGenerator[bytes]
    link: str | None = None
    who: str = ""
    cookie: str = ""

    def places(self, shares: Shares, address: str) -> list[tuple[Places, str]]:
        """The places that it needs, each with the caller who takes it."""
        if self.link is not None:
            return [(shares.pages_of_link, self.link), (shares.pages_of_address, address)]
        of_session = [(shares.pages_of_session, self.cookie)] if self.cookie else []
        return [(shares.pages_of_operator, self.who), *of_session]


class Journal:
    """The journal of changed orders, for the list of orders. Use it on the event loop's thread."""

    def __init__(self, feed: Feed, now: Callable[[], int], counts: Callable[[], dict[str, int]]) -> None:
        self._feed = feed
        self._now = now
        self._counts = counts
        self._epoch = new_id()[-12:]
        self._last = 0
        self._changed: dict[str, tuple[int, Order]] = {}
        self._forgotten = 0
        self._tabs: set[asyncio.Queue[bytes]] = set()
        self._told: dict[str, int] = {}
        self._task: asyncio.Task[None] | None = None
        self._until = 0.0

    def place(self) -> str:
        """The newest position in the journal. A page that is rendered now has seen everything up to it."""
        self._keep_up()
        return f"{self._epoch}-{self._last}"

    async def follow(self, seen: str) -> AsyncGenerator[bytes]:
        """The events of one tab that has seen everything up to ``seen``."""
        self._keep_up()
        queue: asyncio.Queue[bytes] = asyncio.Queue(WAITING)
        self._tabs.add(queue)
        try:
            yield self._since(seen)
            while True:
                yield await queue.get()
        finally:
            self._tabs.discard(queue)

    def close(self) -> None:
        if self._task:
            self._task.cancel()

    def _since(self, seen: str) -> bytes:
        epoch, _, number = seen.partition("-")
        known = epoch == self._epoch and number.isdigit() and int(number) >= self._forgotten
        if not known:
            return event("reload", None, f"{self._epoch}-{self._last}")
        missed = [order for place, order in self._changed.values() if place > int(number)]
        return self._rows(missed)

    def _rows(self, orders: list[Order]) -> bytes:
        """The newest of the orders as rows. ``behind``: whether there were more."""
        now = self._now()
        newest = sorted(orders, key=lambda order: order.created_at)[-ROWS:]
        data = {"rows": [words.row(order, now) for order in newest], "behind": len(orders) > ROWS}
        return event("rows", data, f"{self._epoch}-{self._last}")

    def _keep_up(self) -> None:
        self._until = asyncio.get_running_loop().time() + LINGER
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="journal")

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        counted = 0.0
        with self._feed.subscribe() as changes:
            while self._tabs or loop.time() < self._until:
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK):
                        await changes.arrived()
                orders, lost = changes.take()
                self._note(orders, lost=lost)
                if self._tabs and orders:
                    self._tell(self._rows(orders))
                if self._tabs and loop.time() - counted > LOOK:
                    counted = loop.time()
                    self._tell_counts()
                await asyncio.sleep(RUSH if len(orders) > ROWS else TICK)
        self._task = None
        self._changed.clear()
        self._forgotten = self._last = self._last + 1

    def _note(self, orders: list[Order], *, lost: bool) -> None:
        for order in orders:
            self._last += 1
            self._changed.pop(order.id, None)
            self._changed[order.id] = (self._last, order)
        while len(self._changed) > KEPT:
            self._forgotten = self._changed.pop(next(iter(self._changed)))[0]
        if lost:  # more orders changed at once than the feed keeps
            self._forgotten = self._last = self._last + 1
            self._tell(event("reload", None, f"{self._epoch}-{self._last}"))

    def _tell_counts(self) -> None:
        counts = self._counts()
        if counts != self._told:
            self._told = counts
            self._tell(event("counts", counts))

    def _tell(self, told: bytes) -> None:
        for queue in self._tabs:
            if queue.full():  # a tab that is too slow loads the page again
                while not queue.empty():
                    queue.get_nowait()
                queue.put_nowait(event("reload", None, f"{self._epoch}-{self._last}"))
            else:
                queue.put_nowait(told)


async def marks(feed: Feed, order_id: str | None, mark: Callable[[], str], seen: str) -> AsyncGenerator[bytes]:
    """An event whenever the mark changes. It is computed when the order changes, and once a second.

    ``order_id`` None: the page is not of one order.
    """
    with feed.subscribe(order_id or "none") as changes:
        while True:
            changes.take()
            now = mark()
            if now != seen:
                seen = now
                yield event("changed", None, now)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK):
                    await changes.arrived()
            await asyncio.sleep(TICK)
