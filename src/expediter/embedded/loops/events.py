"""Processes the stored events of payment providers, and the refunds in part that wait to be made.

What follows at once is one unit of work. What needs a call to the provider is a second one, with the answer. While the
provider does not answer, an event is tried again for a day. One that fails otherwise is dead after TRIES, and one that
cannot be read is dead at once.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import NamedTuple

from expediter.app.payments.events import EventInvalid, event_in
from expediter.app.payments.following import Answered, follow
from expediter.app.ports import Work
from expediter.app.tasks.calls import Answer, AnyCall
from expediter.domain.errors import PaymentUnavailable, StoreUnavailable
from expediter.embedded.clock import Clock
from expediter.embedded.loop import Loop
from expediter.embedded.sqlite.access import DatabaseAccess, complete
from expediter.embedded.sqlite.session import Statements, one

#: Events that are processed at once.
AT_ONCE = 32
#: Milliseconds until a failed event is tried again, and how often it is tried.
RETRY, TRIES = 5_000, 3
#: Milliseconds until the provider is asked again, by the number of tries, and for how long it is asked.
BACKOFF, PATIENCE = (2_000, 15_000, 60_000, 300_000, 900_000), 24 * 3_600_000
#: Seconds for one call to the provider.
LONGEST_CALL = 30.0
#: Milliseconds between rounds when nothing wakes the loop; milliseconds for which an event is kept, to recognise a
#: repeat. Stripe sends it again for three days by itself, and for 30 days when somebody asks for that
#: (https://docs.stripe.com/webhooks).
PAUSE, KEPT = 60_000, 31 * 86_400_000

_SQL = Statements("events")


class StoredEvent(NamedTuple):
    """An event that is due. ``at``: when it came."""

    provider: str
    id: str
    body: bytes
    tries: int
    at: int


class Events(Loop):
    """``work``: the ports of the unit of work that runs. ``call``: asks the provider. ``arrived``: set when an event is
    durable.
    """

    def __init__(
        self,
        database: DatabaseAccess,
        clock: Clock,
        work: Callable[[], Work],
        call: Callable[[AnyCall, int, float], Awaitable[Answer]],
        arrived: asyncio.Event,
    ) -> None:
        super().__init__("events", clock, RETRY, arrived)
        self._reading, self._writing, self._writer = database
        self._work = work
        self._call = call
        self._under_way: dict[tuple[str, str], asyncio.Task[None]] = {}

    async def one_round(self, now: int) -> int:
        """Begins to process the events that are due."""
        room = AT_ONCE - len(self._under_way)
        rows = [StoredEvent(*row) for row in self._reading.rows(_SQL["due"], (now, AT_ONCE))]
        for event in [it for it in rows if (it.provider, it.id) not in self._under_way][:room]:
            self._begin(event)
        if self._under_way:
            return now + PAUSE  # the end of one wakes the loop
        (oldest,) = one(self._reading, "SELECT min(at) FROM event")
        if oldest is not None and oldest < now - KEPT:
            await complete(self._writer, "forget events", lambda: self._writing.rows(_SQL["forget"], (now - KEPT,)))
        (next_at,) = one(self._reading, _SQL["next_due"])
        return now + PAUSE if next_at is None else int(min(next_at, now + PAUSE))

    async def stop(self) -> None:
        """Calls under way are given up; the next start makes them again."""
        await super().stop()
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, event: StoredEvent) -> None:
        key = event.provider, event.id
        self._under_way[key] = task = asyncio.create_task(self._process(event), name=f"event {event.id}")

        def ended(_: asyncio.Task[None]) -> None:
            del self._under_way[key]
            self.wake()

        task.add_done_callback(ended)

    async def _process(self, event: StoredEvent) -> None:
        """Processes one event to its end, or until it has to be tried again."""
        try:
            try:
                await self._follow_to_the_end(event)
            except StoreUnavailable:
                raise
            except Exception as error:  # noqa: BLE001  # an error of one event does not stop the others
                self._log.warning("an event was not processed", exc_info=error, extra={"event": event.id})
                await self._failed(event, error)
        except StoreUnavailable as error:
            self._log.error("an event could not be written; it is tried again", exc_info=error)
            await self._clock.wait_until(self._clock.now() + RETRY, asyncio.Event())

    async def _follow_to_the_end(self, event: StoredEvent) -> None:
        answered: Answered | None = None
        while True:
            unit = partial(self._follow, event, answered)
            follows = await complete(self._writer, "event" if answered is None else "event answered", unit)
            if isinstance(follows, bool):
                return
            answered = Answered(follows, await self._call(follows, self._clock.now(), LONGEST_CALL))

    def _follow(self, event: StoredEvent, answered: Answered | None) -> AnyCall | bool:
        """In a unit of work: what follows from the event. One that is processed is marked in the same unit."""
        follows = follow(self._work(), event_in(event.provider, event.body), answered)
        if isinstance(follows, bool):
            self._writing.rows(_SQL["taken"], (event.provider, event.id, int(not follows)))
        return follows

    async def _failed(self, event: StoredEvent, error: Exception) -> None:
        now = self._clock.now()
        if isinstance(error, PaymentUnavailable | TimeoutError):
            pause, dead = BACKOFF[min(event.tries, len(BACKOFF) - 1)], now - event.at > PATIENCE
        else:
            pause, dead = RETRY, event.tries + 1 >= TRIES or isinstance(error, EventInvalid)
        reason = (str(error) or type(error).__name__)[:500]
        values = (event.provider, event.id, None if dead else now + pause, now if dead else None, reason)
        await complete(self._writer, "event failed", lambda: self._writing.rows(_SQL["failed"], values))
