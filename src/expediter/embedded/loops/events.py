"""Processes the stored events of payment providers.

One that fails is tried again, and is dead after TRIES. One that cannot be read is dead at once.
"""

from collections.abc import Callable
from functools import partial

from expediter.app.payments.events import EventInvalid, event_in
from expediter.app.payments.news import take
from expediter.app.ports import Work
from expediter.domain.errors import StoreUnavailable
from expediter.embedded.clock import Clock
from expediter.embedded.loop import Loop
from expediter.embedded.sqlite.access import DatabaseAccess, complete
from expediter.embedded.sqlite.session import Row, Statements, one

#: Events that one round processes.
AT_ONCE = 32
#: Milliseconds until a failed event is tried again, and how often it is tried.
RETRY, TRIES = 5_000, 3
#: Milliseconds between rounds when nothing wakes the loop; milliseconds for which an event is kept, to recognise a
#: repeat. Stripe sends it again for three days by itself, and for 30 days when somebody asks for that
#: (https://docs.stripe.com/webhooks).
PAUSE, KEPT = 60_000, 31 * 86_400_000

_SQL = Statements("events")


class Events(Loop):
    """``work``: the ports of the unit of work that runs."""

    def __init__(self, database: DatabaseAccess, clock: Clock, work: Callable[[], Work]) -> None:
        super().__init__("events", clock, RETRY)
        self._reading, self._writing, self._writer = database
        self._work = work

    def received(self) -> None:
        """Call it in the unit of work that stores an event. The event is processed as soon as it is durable."""
        self._writer.after(self.wake)

    async def one_round(self, now: int) -> int:
        """Processes the events that are due, each in a unit of work of its own."""
        rows = self._reading.rows(_SQL["due"], (now, AT_ONCE))
        for row in rows:
            await self._take(row, now)
        if rows:
            return now
        (oldest,) = one(self._reading, "SELECT min(at) FROM event")
        if oldest is not None and oldest < now - KEPT:
            await complete(self._writer, "forget events", lambda: self._writing.rows(_SQL["forget"], (now - KEPT,)))
        (next_at,) = one(self._reading, _SQL["next_due"])
        return now + PAUSE if next_at is None else int(min(next_at, now + PAUSE))

    async def _take(self, row: Row, now: int) -> None:
        """Processes one event and marks it, in one unit of work. Raises StoreUnavailable."""
        provider, event_id, body, tries = row
        try:
            await complete(self._writer, "event", partial(self._taken, provider, event_id, body))
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001  # an error of one event does not stop the others
            self._log.warning("an event was not processed", exc_info=error, extra={"event": event_id})
            dead = tries + 1 >= TRIES or isinstance(error, EventInvalid)
            values = (provider, event_id, None if dead else now + RETRY, now if dead else None, str(error)[:500])
            await complete(self._writer, "event failed", lambda: self._writing.rows(_SQL["failed"], values))

    def _taken(self, provider: str, event_id: str, body: bytes) -> None:
        acted = take(self._work(), event_in(provider, body))
        self._writing.rows(_SQL["taken"], (provider, event_id, int(not acted)))
