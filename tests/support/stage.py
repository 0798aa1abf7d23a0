"""A whole home in a test: real file, real writer, real loops; only time is virtual.

    @story
    async def test_a_paid_order_is_held(tmp_path: Path) -> None:
        async with opened(tmp_path) as stage:
            order_id = await stage.place()

Nothing waits on wall time: ``quiet`` goes on until nothing is under way, ``advance`` and ``pass_time`` move the clock.
"""

import asyncio
import functools
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any, NamedTuple, ParamSpec

from expediter.app import intake, orders
from expediter.app.drafts import ChangeDraft, Draft, convert
from expediter.app.operator.services import ReceivedEvent
from expediter.app.payments import refunds
from expediter.app.payments.events import event_in
from expediter.app.payments.refunds import RefundDraft
from expediter.app.ports import Caller, DeadLetter, Work
from expediter.domain.ledger import LedgerEntry, balance
from expediter.domain.order import Order
from expediter.domain.refunds import PartRefund
from expediter.embedded.clock import new_id
from expediter.embedded.engine.dispatcher import PAUSE
from expediter.embedded.engine.ports import NEVER
from expediter.embedded.home import Home
from expediter.embedded.loops.events import Events
from expediter.embedded.settings import from_environment
from expediter.embedded.sqlite.commit_thread import Observer
from expediter.embedded.sqlite.database import open_reader
from expediter.embedded.sqlite.session import Session, one
from expediter.embedded.stores.executions import SqliteExecutions
from expediter.embedded.wiring import open_home
from tests.support.clock import VirtualClock

P = ParamSpec("P")

#: What a customer orders who has no other wish: 3 x 1000 minor units.
BURGERS = {"user_id": "Burger_20", "restaurant_id": "Restaurant 4", "quantity": 3}
OPERATOR = Caller()
SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
#: Rounds of the event loop after which something that is still busy will never be quiet.
PATIENCE = 20_000


class SentMail(NamedTuple):
    recipient: str
    status: str
    subject: str
    text: str


def story(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Runs an asynchronous test in an event loop of its own."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        asyncio.run(test(*args, **kwargs))

    return run


class Stage:
    """One running home, and what a test does with it and sees of it."""

    def __init__(self, home: Home, clock: VirtualClock, reading: Session) -> None:
        self.home = home
        self.clock = clock
        self._reading = reading
        self._executions = SqliteExecutions(reading)

    # ── what customers and operators do ───────────────────────────────────────────────────────────────────────────

    async def accept(self, order_id: str | None = None, **fields: Any) -> str:
        """Accepts an order; nothing has happened to it yet but that it is durable."""
        chosen = order_id or new_id()
        draft = convert({**BURGERS, **fields}, Draft)
        await self.home.write(lambda work: intake.accept(work, OPERATOR, draft, chosen), "accept")
        return chosen

    async def place(self, order_id: str | None = None, **fields: Any) -> str:
        """Accepts an order and lets it come as far as it comes without time passing."""
        chosen = await self.accept(order_id, **fields)
        await self.quiet()
        return chosen

    async def change(self, order_id: str, **fields: Any) -> Order:
        draft = convert(fields, ChangeDraft)
        return await self.home.write(lambda work: orders.change(work, OPERATOR, order_id, draft), "change")

    async def cancel(self, order_id: str) -> Order:
        return await self.home.write(lambda work: orders.cancel(work, OPERATOR, order_id), "cancel")

    async def come_back(self, order_id: str) -> None:
        """The customer has done what the payment waited for."""
        await self.home.write(lambda work: orders.come_back(work, OPERATOR, order_id), "continuePayment")
        await self.quiet()

    async def refund(self, order_id: str, amount: int, key: str | None = None) -> PartRefund:
        """Finance gives so much of the order back, and the provider has time to do it."""
        draft, chosen = RefundDraft("It was cold.", amount), key or new_id()

        def ask(work: Work) -> PartRefund:
            return refunds.ask(work, orders.find(work, OPERATOR, order_id), chosen, draft)

        asked = await self.home.write(ask, "refundOrder")
        await self.quiet()
        return asked

    async def news(self, order_id: str) -> None:
        """The payment provider sends an event about the order."""
        body = f'{{"id": "{new_id()}", "order_id": "{order_id}"}}'.encode()
        event = event_in("payments", body)
        received = ReceivedEvent("payments", event.id, event.type, order_id, body)
        await self.home.write_as_operator(lambda it: it.events.receive(received, it.work.now), "receive event")
        await self.quiet()

    async def delete(self, order_id: str) -> Order:
        return await self.home.write(lambda work: orders.delete(work, OPERATOR, order_id), "delete")

    async def send(self, body: bytes, **attributes: str) -> str:
        """Puts a message on the queue without an API."""
        return await self.home.write(lambda work: work.queue.send(body, attributes, work.now), "send")

    # ── what can be seen ──────────────────────────────────────────────────────────────────────────────────────────

    def order(self, order_id: str) -> Order:
        found = self.home.read(lambda work: work.orders.find(order_id))
        assert found is not None, f"no order {order_id}"
        return found

    def status(self, order_id: str) -> str:
        return str(self.order(order_id).status)

    def entries(self, order_id: str) -> tuple[LedgerEntry, ...]:
        return self.home.read(lambda work: work.orders.entries(order_id))

    def held(self, order_id: str) -> int:
        """Minor units of this order that the ledger says are with us."""
        return balance(self.entries(order_id))

    def mails(self, order_id: str) -> list[SentMail]:
        sql = "SELECT recipient, status, subject, text FROM mail JOIN claim ON claim.no = order_no WHERE claim.id = ?"
        return [SentMail(*row) for row in self._reading.rows(sql, (order_id,))]

    def events(self, order_id: str) -> list[str]:
        """The types of the events of the order's workflow."""
        history = self.home.read(lambda work: work.workflows.history(order_id))
        return [event["type"] for event in history or []]

    def states(self, order_id: str) -> list[str]:
        """The states that the order's workflow entered, in order."""
        history = self.home.read(lambda work: work.workflows.history(order_id))
        entered = [event for event in history or [] if event["type"].endswith("StateEntered")]
        return [event["details"]["name"] for event in entered]

    def dead_letters(self) -> tuple[DeadLetter, ...]:
        return self.home.read(lambda work: work.dead_letters.page(100))

    def read(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        return self._reading.rows(sql, values)

    # ── time ──────────────────────────────────────────────────────────────────────────────────────────────────────

    async def quiet(self) -> None:
        """Goes on until nothing is under way any more that does not wait for time to pass."""
        calm = 0
        for _ in range(PATIENCE):
            if under_way := {*self.home.engine.dispatcher._calls, *self._events_under_way()}:
                await asyncio.wait(under_way, timeout=1, return_when=asyncio.FIRST_COMPLETED)
            await self.home.write(_look, "look")
            calm = calm + 1 if self._idle() else 0
            if calm == 3:
                return
        raise AssertionError("the home does not come to rest")

    async def until(self, condition: Callable[[], bool]) -> None:
        """Goes on until something is so that another thread or process has to do."""
        for _ in range(PATIENCE):
            if condition():
                return
            await self.home.write(_look, "look")
        raise AssertionError("it never happened")

    async def advance(self, milliseconds: int) -> None:
        """Moves the clock on in one step, as a machine does that slept."""
        self.clock.advance(milliseconds)
        await self.quiet()

    async def pass_time(self, milliseconds: int) -> None:
        """Lets time pass from one timer to the next."""
        await self._pass_until(self.clock.now() + milliseconds, lambda: False)

    async def to_the_end(self, order_id: str, within: int = HOUR) -> Order:
        """Lets time pass until the order's workflow has ended, at most ``within`` milliseconds."""
        await self._pass_until(self.clock.now() + within, lambda: not self.running(order_id))
        assert not self.running(order_id), f"not ended: {self.states(order_id)}"
        return self.order(order_id)

    def running(self, order_id: str) -> bool:
        sql = "SELECT 1 FROM claim LEFT JOIN execution USING (no) WHERE id = ? AND status = 'RUNNING'"
        waiting = "SELECT 1 FROM message WHERE order_id = ?"
        return bool(self._reading.row(sql, (order_id,)) or self._reading.row(waiting, (order_id,)))

    async def _pass_until(self, end: int, over: Callable[[], bool]) -> None:
        await self.quiet()
        while self.clock.now() < end and not over():
            await self.advance(min(self._next(), end) - self.clock.now())

    def _next(self) -> int:
        """When something happens by itself: a timer, or a look at messages that can be received again."""
        now = self.clock.now()
        (visible,) = one(self._reading, "SELECT min(visible_at) FROM message")
        (event,) = one(self._reading, "SELECT min(due_at) FROM event")
        return min(self._executions.next_due(now), max(visible or NEVER, now + PAUSE), event or NEVER)

    def _events_under_way(self) -> set[asyncio.Task[None]]:
        (loop,) = (it for it in self.home._loops if isinstance(it, Events))
        return set(loop._under_way.values())

    def _idle(self) -> bool:
        home, dispatcher, now = self.home, self.home.engine.dispatcher, self.clock.now()
        calls = dispatcher.calls or dispatcher._intakes or dispatcher._firing
        events = self._reading.row("SELECT 1 FROM event WHERE due_at <= ?", (now,))
        return not (calls or events or home._writer.waiting or self._executions.due(now, 1))


def _look(_: Work) -> None:
    """A unit that does nothing: it is answered when everything before it is stored and told."""


@asynccontextmanager
async def opened(
    folder: Path, clock: VirtualClock | None = None, observer: Observer | None = None, **settings: str
) -> AsyncIterator[Stage]:
    """A home on ``folder`` with the given EXPEDITER_* settings: ``opened(tmp_path, HOLD_SECONDS="0")``."""
    given = {f"EXPEDITER_{name}": value for name, value in settings.items()}
    time = clock or VirtualClock()
    collector = {name: value for name, value in os.environ.items() if name.startswith("OTEL_")}
    read = from_environment({"EXPEDITER_DATA": str(folder), **given, **collector})
    async with open_home(read, time, observer) as home:
        with closing(open_reader(folder / "expediter.db")) as connection:
            yield Stage(home, time, Session(connection))
