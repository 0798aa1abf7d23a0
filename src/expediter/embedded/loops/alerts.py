"""Tells operators of alerts about orders: a line in the log, and a mail to each operator.

Rules:
 - each alert about an order is sent once, also across restarts: the unit of work that posts the mails records it;
 - a round reads the orders under way page by page, and ends at the first one that is in time;
 - a round tells MOST alerts with the same cause, so a bank that is down for hours does not fill the outbox; the next
   round goes on.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import NamedTuple

import msgspec

from expediter.app.mails import alert_mails
from expediter.app.ports import OrderSettings
from expediter.domain.alert import ORDER_TIME, Alert, alert_of, overdue, owed_since
from expediter.domain.order import Order, Status
from expediter.embedded.clock import Clock
from expediter.embedded.loop import Loop
from expediter.embedded.sqlite.access import DatabaseAccess, complete
from expediter.embedded.sqlite.session import Row, Statements

#: Milliseconds between rounds.
LOOK = 60_000
#: Limits of one round: alerts with the same cause, and rows that are read at once.
MOST, PAGE = 20, 200

_SQL, _POST = Statements("alerts"), Statements("orders")["post"]
_decode = msgspec.json.Decoder(Order).decode


class Found(NamedTuple):
    """An order with an alert, whose cause began at ``since`` (ms since 1970 UTC)."""

    no: int
    order_id: str
    alert: Alert
    since: int


class Alerts(Loop):
    """``posted`` is called in a unit of work that posts mails; None: no mail server is set."""

    def __init__(
        self, database: DatabaseAccess, clock: Clock, settings: OrderSettings, posted: Callable[[], None] | None
    ) -> None:
        super().__init__("alerts", clock, LOOK)
        self._reading, self._writing, self._writer = database
        self._settings = settings
        self._posted = posted

    async def one_round(self, now: int) -> int:
        """Tells operators of each new alert, and of MOST with the same cause."""
        hold = self._settings.hold_seconds * 1000
        late = [self._late(status, now, hold) for status in (Status.PENDING, Status.PAID, Status.REFUND_PENDING)]
        for found in (self._waiting(now, hold), self._dead(), self._needing_operator(now), self._unmailed(), *late):
            told = 0
            async for one in found:
                await complete(self._writer, "alert", partial(self._tell, one, now))
                told += 1
                if told == MOST:
                    break
        return now + LOOK

    # ── alerts that were not told yet ─────────────────────────────────────────────────────────────────────────────

    async def _waiting(self, now: int, hold: int) -> AsyncIterator[Found]:
        for no, order_id, sent_at in self._reading.rows(_SQL["on_the_queue"], (now - hold - ORDER_TIME, PAGE)):
            yield Found(no, order_id, Alert.ORDER_LATE, sent_at)

    async def _dead(self) -> AsyncIterator[Found]:
        async for _, no, order_id, died_at, told in self._rows("died"):
            if not told:
                yield Found(no, order_id, Alert.DEAD_LETTER, died_at)

    async def _needing_operator(self, now: int) -> AsyncIterator[Found]:
        async for no, order_id, told in self._rows("needing_operator"):
            if not told:
                yield Found(no, order_id, Alert.NEEDS_OPERATOR, now)

    async def _unmailed(self) -> AsyncIterator[Found]:
        async for no, order_id, given_up_at, told in self._rows("given_up"):
            if not told:
                yield Found(no, order_id, Alert.MAIL_GIVEN_UP, given_up_at)

    async def _late(self, status: Status, now: int, hold: int) -> AsyncIterator[Found]:
        """Late orders of this status, the first accepted first. An order that is in time by today's hold ends the
        search, because the later ones are in time too. Refunds are an exception: the time of a refund begins with its
        first try. An order that was promised another hold is late when that is over.
        """
        async for no, body, told, promised in self._rows("under_way", status.value):
            order = _decode(body)
            if status is not Status.REFUND_PENDING and not overdue(order.created_at, now, hold):
                return
            alert = alert_of(order, now, hold if promised is None else promised * 1000)
            if alert is not None and alert not in (told or "").split():
                yield Found(no, order.id, alert, _since(order, alert))

    async def _rows(self, name: str, *values: str) -> AsyncIterator[Row]:
        """The rows of a statement, read page by page. The first column is the row's number. Orders run in between."""
        after = 0
        while page := self._reading.rows(_SQL[name], (after, PAGE, *values)):
            for row in page:
                yield row
            if len(page) < PAGE:
                return
            after = page[-1][0]
            await asyncio.sleep(0)

    # ── telling ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _tell(self, found: Found, now: int) -> None:
        """In a unit of work: posts the mails to the operators and logs the alert, unless that was done before."""
        if not self._writing.row(_SQL["tell"], (found.no, found.alert.value, now)):
            return
        mails = alert_mails(found.order_id, found.alert, found.since, self._settings)
        next_at = now if self._posted else None
        for mail in mails:
            values = (mail.status.value, mail.recipient, mail.subject, mail.text, now, next_at)
            self._writing.rows(_POST, (found.no, *values))
        if mails and self._posted:
            self._posted()
        self._writer.after(partial(self._warn, found))

    def _warn(self, found: Found) -> None:
        extra = {"order_id": found.order_id, "alert": found.alert.value}
        self._log.warning("an order needs an operator's attention", extra=extra)


def _since(order: Order, alert: Alert) -> int:
    return owed_since(order) if alert is Alert.REFUND_LATE else order.created_at
