"""Looks for orders in trouble, and tells operators of each alert once: a line in the log, and a mail to each of them.

Rules:
 - what was told is written in the same unit as the mails, so it is told once, whatever dies when;
 - a look goes through what is under way in pages, and hears of nothing that moves as it should;
 - when very much goes wrong at once (a bank is down for hours), a look tells some of it; what is still in trouble
   at the next look is told then.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

import msgspec

from expediter.app.mails import alert_mails
from expediter.app.ports import Settings
from expediter.domain.alert import ORDER_TIME, Alert, alert_of, owed_since
from expediter.domain.errors import StoreUnavailable
from expediter.domain.order import Order, Status
from expediter.embedded.clock import Clock
from expediter.embedded.sqlite.database import Row, Session, Statements
from expediter.embedded.sqlite.writer import Writer

#: Milliseconds between looks.
LOOK = 60_000
#: Orders that one look tells at most of each kind that it looks through, and rows that it reads at once.
MOST, PAGE = 20, 200

_SQL, _POST = Statements("alerts"), Statements("orders")["post"]
_decode = msgspec.json.Decoder(Order).decode
_log = logging.getLogger("expediter.alerts")


class Found(NamedTuple):
    """An order with an alert, whose cause began at ``since`` (ms since 1970 UTC)."""

    no: int
    order_id: str
    alert: Alert
    since: int


class Alerts:
    """``reading`` only reads, ``writing`` is used inside units. ``posted`` is told, inside them, that mails are to be
    sent; None: nobody sends mails.
    """

    def __init__(
        self, reading: Session, writing: Session, writer: Writer, clock: Clock, posted: Callable[[], None] | None
    ) -> None:
        self._reading = reading
        self._writing = writing
        self._writer = writer
        self._clock = clock
        self._posted = posted
        self._wake = asyncio.Event()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    def start(self, settings: Settings) -> None:
        self._task = asyncio.create_task(self._run(settings), name="alerts")

    async def stop(self) -> None:
        """Ends after the look that goes on."""
        self._stopping = True
        self._wake.set()
        if self._task:
            await self._task

    async def _run(self, settings: Settings) -> None:
        while not self._stopping:
            now = self._clock.now()
            try:
                await self._look(settings, now)
            except StoreUnavailable as error:
                _log.error("looking for orders in trouble failed; the next look is in a minute", exc_info=error)
            await self._clock.wait_until(now + LOOK, self._wake)

    async def _look(self, settings: Settings, now: int) -> None:
        hold = settings.hold_seconds * 1000
        late = [self._late(status, now, hold) for status in (Status.PENDING, Status.PAID, Status.REFUND_PENDING)]
        for looked in (self._waiting(now, hold), self._dead(), self._needing_operator(now), *late):
            told = 0
            async for found in looked:
                await self._tell(found, settings, now)
                told += 1
                if told == MOST:
                    break

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

    async def _late(self, status: Status, now: int, hold: int) -> AsyncIterator[Found]:
        """Orders of this status that are late. They are read in the order in which they were accepted, so behind the
        first that is in time all are; but not those that are owed money: a refund has a time of its own.
        """
        async for no, body, told in self._rows("under_way", status.value):
            order = _decode(body)
            alert = alert_of(order, now, hold)
            if alert is None and status is not Status.REFUND_PENDING:
                return
            if alert is not None and alert not in (told or "").split():
                yield Found(no, order.id, alert, _since(order, alert))

    async def _rows(self, name: str, *values: str) -> AsyncIterator[Row]:
        """The rows of a statement, a page at a time; the first column numbers them. Between pages orders go first."""
        after = 0
        while page := self._reading.rows(_SQL[name], (after, PAGE, *values)):
            for row in page:
                yield row
            if len(page) < PAGE:
                return
            after = page[-1][0]
            await asyncio.sleep(0)

    # ── telling ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def _tell(self, found: Found, settings: Settings, now: int) -> None:
        """Raises StoreUnavailable."""
        told = asyncio.get_running_loop().create_future()

        def unit() -> None:
            if not self._writing.row(_SQL["tell"], (found.no, found.alert.value, now)):
                return
            mails = alert_mails(found.order_id, found.alert, found.since, settings)
            for mail in mails:
                values = (
                    mail.status.value,
                    mail.recipient,
                    mail.subject,
                    mail.text,
                    now,
                    now if self._posted else None,
                )
                self._writing.rows(_POST, (found.no, *values))
            if mails and self._posted:
                self._posted()
            self._writer.after(lambda: _warn(found))

        def done(_: None, error: Exception | None) -> None:
            told.set_result(error)

        self._writer.submit("alert", unit, done)
        if (error := await told) is not None:
            raise StoreUnavailable from error


def _since(order: Order, alert: Alert) -> int:
    return owed_since(order) if alert is Alert.REFUND_LATE else order.created_at


def _warn(found: Found) -> None:
    extra = {"order_id": found.order_id, "alert": found.alert.value}
    _log.warning("an order is in trouble; operators are told once", extra=extra)
