"""Looks for orders in trouble, and tells operators of each trouble once: a line in the log, and a mail to each of them.

Rules:
 - what was told is written in the same unit as the mails, so it is told once, whatever dies when;
 - a look goes through what is under way in pages, and hears of nothing that moves as it should;
 - when very much goes wrong at once (a bank is down for hours), a look tells some of each trouble; what is still in
   trouble at the next look is told then.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

import msgspec

from expediter.app.mails import trouble_mails
from expediter.app.ports import Settings
from expediter.domain.errors import StoreUnavailable
from expediter.domain.order import Order, Status
from expediter.domain.trouble import ORDER_TIME, Trouble, late, owed_since
from expediter.embedded.clock import Clock
from expediter.embedded.database import Session, Statements
from expediter.embedded.writer import Writer

#: Milliseconds between looks.
LOOK = 60_000
#: Orders that one look tells of each trouble at most, and orders or messages that it reads at once.
MOST, PAGE = 20, 200

_SQL, _POST = Statements("watch"), Statements("orders")["post"]
_decode = msgspec.json.Decoder(Order).decode
_log = logging.getLogger("expediter.watch")


class Found(NamedTuple):
    """An order in trouble since then (ms since 1970 UTC)."""

    no: int
    order_id: str
    trouble: Trouble
    since: int


class Watch:
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
        self._task = asyncio.create_task(self._run(settings), name="watch")

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
        found = [*self._waiting(now, hold), *self._dead(), *self._needing_operator(now)]
        for status in (Status.PENDING, Status.PAID, Status.REFUND_PENDING):
            found += [order async for order in self._late(status, now, hold)]
        told = dict.fromkeys(Trouble, 0)
        for order in found:
            told[order.trouble] += 1
            if told[order.trouble] <= MOST:
                await self._tell(order, settings, now)

    # ── what is in trouble and was not told yet ───────────────────────────────────────────────────────────────────

    def _waiting(self, now: int, hold: int) -> list[Found]:
        rows = self._reading.rows(_SQL["on_the_queue"], (now - hold - ORDER_TIME, PAGE))
        return [Found(no, order_id, Trouble.ORDER_LATE, sent_at) for no, order_id, sent_at in rows]

    def _dead(self) -> list[Found]:
        rows = self._reading.rows(_SQL["died"], (MOST,))
        return [Found(no, order_id, Trouble.DEAD_LETTER, died_at) for no, order_id, died_at in rows]

    def _needing_operator(self, now: int) -> list[Found]:
        rows = self._reading.rows(_SQL["needing_operator"], (MOST,))
        return [Found(no, order_id, Trouble.NEEDS_OPERATOR, now) for no, order_id in rows]

    async def _late(self, status: Status, now: int, hold: int) -> AsyncIterator[Found]:
        """Orders of this status that are late. They are read in the order in which they were accepted, so behind the
        first that is in time all are; but not those that are owed money: a refund has a time of its own.
        """
        after, count = 0, 0
        while page := self._reading.rows(_SQL["under_way"], (status.value, after, PAGE)):
            for no, body, told in page:
                order = _decode(body)
                trouble = late(order, now, hold)
                if trouble is None and status is not Status.REFUND_PENDING:
                    return
                if trouble is not None and trouble not in (told or "").split():
                    count += 1
                    yield Found(no, order.id, trouble, _since(order, trouble))
            if count >= MOST or len(page) < PAGE:
                return
            after = page[-1][0]
            await asyncio.sleep(0)  # orders go first

    # ── telling ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def _tell(self, found: Found, settings: Settings, now: int) -> None:
        """Raises StoreUnavailable."""
        told = asyncio.get_running_loop().create_future()

        def unit() -> None:
            if not self._writing.row(_SQL["tell"], (found.no, found.trouble.value, now)):
                return
            mails = trouble_mails(found.order_id, found.trouble, found.since, settings)
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

        self._writer.submit("watch", unit, done)
        if (error := await told) is not None:
            raise StoreUnavailable from error


def _since(order: Order, trouble: Trouble) -> int:
    return owed_since(order) if trouble is Trouble.REFUND_LATE else order.created_at


def _warn(found: Found) -> None:
    extra = {"order_id": found.order_id, "trouble": found.trouble.value}
    _log.warning("an order is in trouble; operators are told once", extra=extra)
