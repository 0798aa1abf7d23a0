"""Sends committed changes of orders to listeners in this process.

Changes wait for a slow listener: one for each order, because a newer change replaces the older one. So a slow listener
misses states in between, and gets the newest. At most WAITING orders wait. Beyond that the one that waited longest is
dropped.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from types import TracebackType
from typing import NamedTuple, Self

from expediter.domain.order import Order

#: Orders whose changes wait for one listener at most.
WAITING = 1000


class Feed:
    """Use it on the event loop's thread."""

    def __init__(self) -> None:
        #: By the id of the order that they follow (None: all orders). While it is empty, nothing needs to be published.
        self.followers: defaultdict[str | None, set[Changes]] = defaultdict(set)
        self._count = 0

    def publish(self, order: Order) -> None:
        """Sends the order to its listeners, and to those of all orders. Call it once the change is committed."""
        for key in (order.id, None):
            for changes in self.followers.get(key, ()):
                changes.put(order)

    def subscribe(self, order_id: str | None = None) -> "Changes":
        """The changes of the order (None: of all orders) from now on; close it, or leave its ``with`` block."""
        self._count += 1
        changes = Changes(self, order_id)
        self.followers[order_id].add(changes)
        return changes

    @property
    def listeners(self) -> int:
        return self._count

    def leave(self, changes: "Changes") -> None:
        """This listener gets no more changes."""
        followers = self.followers.get(changes.order_id, set())
        if changes in followers:
            followers.remove(changes)
            self._count -= 1
        if not followers:
            self.followers.pop(changes.order_id, None)


class Taken(NamedTuple):
    """Orders that changed, the longest waiting first. ``lost``: whether changes of other orders were dropped."""

    orders: list[Order]
    lost: bool


class Changes(AsyncIterator[Order]):
    """An endless iterator over the changed orders that one listener follows."""

    def __init__(self, feed: Feed, order_id: str | None) -> None:
        self.order_id = order_id
        self._feed = feed
        self._waiting: dict[str, Order] = {}
        self._wake = asyncio.Event()
        #: Whether a change was dropped since the last ``take``.
        self._lost = False

    def put(self, order: Order) -> None:
        self._waiting.pop(order.id, None)
        self._waiting[order.id] = order
        if len(self._waiting) > WAITING:
            del self._waiting[next(iter(self._waiting))]
            self._lost = True
        self._wake.set()

    async def arrived(self) -> None:
        """Returns as soon as a change waits."""
        while not self._waiting:
            self._wake.clear()
            await self._wake.wait()

    def take(self) -> Taken:
        """Every change that waits now."""
        taken = Taken(list(self._waiting.values()), self._lost)
        self._waiting.clear()
        self._lost = False
        return taken

    async def __anext__(self) -> Order:
        await self.arrived()
        return self._waiting.pop(next(iter(self._waiting)))

    def close(self) -> None:
        self._feed.leave(self)

    async def aclose(self) -> None:
        """Ends the subscription, as code expects of an asynchronous iterator."""
        self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class UntilEnded(AsyncIterator[Order]):
    """One order: as it is ``now``, then after each change, until it has ended.

    ``changes`` must begin before ``now`` is read. So a late subscriber misses nothing, and may get a state twice.
    """

    def __init__(self, changes: Changes, now: Order) -> None:
        self._changes = changes
        self._ended = False
        changes.put(now)

    async def __anext__(self) -> Order:
        if self._ended:
            raise StopAsyncIteration
        order = await anext(self._changes)
        if order.ended:
            self._ended = True
            self._changes.close()
        return order

    async def aclose(self) -> None:
        self._changes.close()
