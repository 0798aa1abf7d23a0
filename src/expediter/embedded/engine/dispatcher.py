"""The work that no request waits for: starts workflows for messages, makes calls, fires timers, and goes on with the
work of a process that died.

    [accept ─→ message] ─→ [intake] ─→ pending call ─→ gateway ─→ [settle] ─→ … ─→ end
                              └─→ timer ─→ [fire] ─→ …

Each pair of brackets is a unit of work. So a step is durable before the call that follows from it goes out. The intake
is in the commit of the accept, unless there is too much to do. All that is in memory here can be read again from the
file.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from time import perf_counter

from expediter.app.gateways import ROUTES, GatewayName
from expediter.app.intake import BATCH, take_batch
from expediter.app.ports import Work
from expediter.app.tasks.calls import Answer, Refused
from expediter.domain.errors import OrderError, StoreUnavailable
from expediter.embedded.clock import Clock
from expediter.embedded.engine.driver import Driver
from expediter.embedded.engine.gateways import Gateways
from expediter.embedded.engine.pending_calls import CallFailed, PendingCall, Settle
from expediter.embedded.engine.ports import ExecutionStore, MessageCount
from expediter.embedded.sqlite.writer import Writer

#: With CALLS calls through one gateway, under way or waiting, no more messages are received: they wait in the file.
#: Timers still fire, so a slow bank does not hold up the restaurant. With TOO_MANY_CALLS they wait too, to save memory.
CALLS, TOO_MANY_CALLS = 2_000, 8_000
#: Limits: intakes at the writer, timers at the writer, and messages that are counted at once.
INTAKES = 64
TIMERS = 512
MESSAGES = 10_000
#: Milliseconds between a failure of the store and the next try, and between two looks at the queue.
PAUSE = 1_000

_log = logging.getLogger("expediter.calls")


class Dispatcher:
    """``executions`` and ``queue`` are only read. ``headers``: returns further headers for a call about an order.

    The driver dispatches its calls here, and its timers are fired here. Each needs the other one, so ``start`` gets the
    driver, and the ports, which send their messages here.
    """

    def __init__(
        self,
        writer: Writer,
        gateways: Gateways,
        clock: Clock,
        executions: ExecutionStore,
        queue: MessageCount,
        *,
        headers: Callable[[PendingCall, str], Mapping[str, str]] | None = None,
    ) -> None:
        self._writer = writer
        self._gateways = gateways
        self._executions = executions
        self._queue = queue
        self._headers = headers
        self._clock = clock
        self._wake = asyncio.Event()
        self._wake_at = 0
        #: Units of work that receive messages and have not run yet. A message that comes after they ran needs another
        #: one.
        self._intakes: set[object] = set()
        #: The ports of the unit of work that runs. None: not started, so messages wait.
        self._work: Callable[[], Work] | None = None
        self._backlog = 0
        self._firing: set[int] = set()
        self._calls: set[asyncio.Task[None]] = set()
        self._calls_to: Counter[GatewayName] = Counter()
        #: Whether the last unit of work that ended was undone.
        self._failing = False
        self._stopping = False
        self._loop: asyncio.Task[None] | None = None

    # ── called in a unit of work ──────────────────────────────────────────────────────────────────────────────────

    def dispatch(self, settle: Settle, pending: PendingCall) -> None:
        """Makes the call once the unit of work that needs it is durable, then runs ``settle`` in another one."""
        self._writer.after(partial(self._make, pending, settle))

    def wake_at(self, at: int) -> None:
        """A timer was set for ``at``: the loop wakes by then."""
        self._writer.after(partial(self._hurry, at))

    # ── starting and stopping ─────────────────────────────────────────────────────────────────────────────────────

    async def start(self, driver: Driver, work: Callable[[], Work]) -> None:
        """Goes on with what is under way in the file, and begins to receive messages and to fire timers.

        ``work``: the ports of the unit of work that runs.
        """
        busy = self._executions.busy()
        for start in range(0, len(busy), TIMERS):
            page = busy[start : start + TIMERS]
            await asyncio.gather(*(self._writer.run("resume", partial(driver.resume, no)) for no in page))
        self._work = work
        self._loop = asyncio.create_task(self._keep_time(driver), name="dispatcher")

    async def stop(self, grace: float) -> None:
        """Starts nothing new, and waits ``grace`` seconds for the calls under way. The next start makes the unfinished
        ones again.
        """
        self._stopping = True
        self._wake.set()
        if self._loop:
            await self._loop
        if self._calls:
            _, late = await asyncio.wait(self._calls, timeout=grace)
            for call in late:
                call.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    @property
    def calls(self) -> int:
        """Calls under way."""
        return len(self._calls)

    # ── messages ──────────────────────────────────────────────────────────────────────────────────────────────────

    def sent(self) -> None:
        """One more message is on the queue. This is a hint only: its unit of work may still be undone."""
        self._backlog += 1
        self._take_in()

    def _take_in(self) -> None:
        """Starts the workflows of all messages, in batches, unless the gateways are too slow."""
        while len(self._intakes) < INTAKES and len(self._intakes) * BATCH < self._backlog:
            if self._work is None or self._stopping or not self._keeping_up(CALLS):
                return
            intake = object()
            self._intakes.add(intake)
            unit = partial(self._intake, intake, self._work)
            self._writer.submit("intake", unit, partial(self._taken_in, intake))

    def _intake(self, intake: object, work: Callable[[], Work]) -> int:
        received = take_batch(work())
        if intake in self._intakes:  # otherwise this is a second run, and it was counted
            self._intakes.remove(intake)
            self._backlog = max(0, self._backlog - received) if received else 0
        return received

    def _taken_in(self, intake: object, received: int | None, error: Exception | None) -> None:
        self._intakes.discard(intake)
        self._note("taking orders in", error)
        if error is not None:
            self._backlog = 0  # looked up again at the next tick
            return
        self._take_in()
        if received == BATCH and not self._intakes:
            self._wake.set()  # there may be more than were counted

    # ── calls ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _make(self, pending: PendingCall, settle: Settle) -> None:
        if self._stopping:
            return
        if simulated := self._gateways.simulated.get(type(pending.call)):
            self._settle(pending, settle, simulated(pending.call))
            return
        gateway = ROUTES[type(pending.call)].gateway
        self._calls_to[gateway] += 1
        task = asyncio.create_task(self._call(pending, settle))
        self._calls.add(task)
        task.add_done_callback(partial(self._called, gateway))

    def _called(self, gateway: GatewayName, task: asyncio.Task[None]) -> None:
        self._calls.discard(task)
        self._calls_to[gateway] -= 1
        self._take_in()

    def _keeping_up(self, limit: int) -> bool:
        """Whether each gateway has fewer calls to answer."""
        return max(self._calls_to.values(), default=0) < limit

    async def _call(self, pending: PendingCall, settle: Settle) -> None:
        answer: Answer | CallFailed
        begun = perf_counter()
        headers = self._headers(pending, pending.call.order_id) if self._headers else {}
        try:
            answer = await self._gateways.call(pending.call, self._clock.now(), pending.task.timeout_seconds, headers)
        except TimeoutError:
            _log.warning("a call took too long", extra=_about(pending))
            answer = CallFailed(None, "The call took longer than the task's TimeoutSeconds.")
        except OrderError as error:
            _log.warning("a call failed", exc_info=error, extra=_about(pending))
            answer = CallFailed(error.name, str(error))
        except Exception as error:  # noqa: BLE001  # as in a Lambda: an error of a call fails its task
            _log.exception("a call failed with an unexpected error", extra=_about(pending))
            answer = CallFailed(type(error).__name__, str(error))
        self._writer.metrics.calls[pending.call.kind.value, _outcome(answer)].observe(perf_counter() - begun)
        self._settle(pending, settle, answer)

    def _settle(self, pending: PendingCall, settle: Settle, answer: Answer | CallFailed) -> None:
        unit, done = partial(settle, pending, answer), partial(self._settled, pending, settle, answer)
        self._writer.submit("settle:" + pending.task.resource, unit, done)

    def _settled(
        self, pending: PendingCall, settle: Settle, answer: Answer | CallFailed, _: object, error: Exception | None
    ) -> None:
        self._note("storing an answer", error)
        if error is not None:
            asyncio.get_running_loop().call_later(PAUSE / 1000, self._settle, pending, settle, answer)

    # ── time ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _hurry(self, at: int) -> None:
        if at < self._wake_at:
            self._wake.set()

    async def _keep_time(self, driver: Driver) -> None:
        """Fires what is due, and looks at least once a second for messages that became visible again."""
        while not self._stopping:
            now = self._clock.now()
            try:
                self._wake_at = self._look(driver, now)
            except StoreUnavailable as error:
                self._note("looking for what is due", error)
                self._wake_at = now + PAUSE
            await self._clock.wait_until(self._wake_at, self._wake)

    def _look(self, driver: Driver, now: int) -> int:
        """Does what is due. Returns when to look again."""
        if self._keeping_up(TOO_MANY_CALLS):
            for no in self._executions.due(now, TIMERS):
                self._fire(driver, no)
        if not self._intakes:
            self._backlog = self._queue.receivable(now, MESSAGES)
            self._take_in()
        return min(self._executions.next_due(now), now + PAUSE)

    def _fire(self, driver: Driver, no: int) -> None:
        if no in self._firing:
            return
        self._firing.add(no)

        def done(_: object, error: Exception | None) -> None:
            self._firing.discard(no)
            self._note("firing a timer", error)
            if error is None and not self._firing:
                self._wake.set()  # there may be more due than one round takes

        self._writer.submit("timer", partial(driver.fire, no), done)

    def _note(self, what: str, error: Exception | None) -> None:
        """A unit of work has ended. Of several in a row that were undone, the first one is logged."""
        if error is not None and not self._failing:
            _log.error("%s failed; a try follows every second until it works", what, exc_info=error)
        self._failing = error is not None


def _outcome(answer: Answer | CallFailed) -> str:
    """The outcome of a call, as it is counted."""
    if isinstance(answer, CallFailed):
        return "failed" if answer.error else "timed out"
    return "refused" if isinstance(answer, Refused) else "done"


def _about(pending: PendingCall) -> dict[str, str]:
    """The fields of a log entry that say which call it is about."""
    return {"order_id": pending.call.order_id, "call": pending.call.kind.value}
