"""The driver needs no database: here it drives executions that are kept in a dict."""

from collections.abc import Sequence
from itertools import count

import msgspec

from expediter.app.intake import document
from expediter.app.ports import Claim, Work
from expediter.asl import Execution, Machine, parse
from expediter.asl.protocol import AnyEvent, Json
from expediter.embedded.engine.definitions import Definitions
from expediter.embedded.engine.driver import Driver
from expediter.embedded.engine.pending_calls import CallFailed, PendingCall, Settle
from expediter.embedded.engine.ports import NEVER, EngineStores, LiveDefinition, Routing, StoredExecution
from expediter.embedded.engine.workflows import EmbeddedWorkflows
from expediter.embedded.stores.nested import SqliteNestedExecutions
from expediter.embedded.stores.task_tokens import SqliteTaskTokens
from tests.ports.adapters import EmbeddedAdapters
from tests.support.clock import NOON
from tests.support.values import ID, an_order

WAIT = {"StartAt": "Hold", "States": {"Hold": {"Type": "Wait", "Seconds": 30, "End": True}}}
THREE_STATES = {
    "StartAt": "First",
    "States": {
        "First": {"Type": "Wait", "Seconds": 0, "Next": "Second"},
        "Second": {"Type": "Wait", "Seconds": 0, "Next": "Third"},
        "Third": {"Type": "Pass", "End": True},
    },
}


class MemoryExecutions:
    """Executions and definitions in memory; ``written`` counts what was stored."""

    def __init__(self) -> None:
        self.rows: dict[int, StoredExecution] = {}
        self.events: dict[int, list[AnyEvent]] = {}
        self.definitions: dict[int, Json] = {}
        self.written = 0
        self._numbers = count(1)

    def create(self, name: str, definition: int) -> StoredExecution | None:
        return None if self.find(name) else StoredExecution(next(self._numbers), name, definition, Execution())

    def find(self, name: str) -> StoredExecution | None:
        return next((row for row in self.rows.values() if row.name == name), None)

    def load(self, no: int) -> StoredExecution | None:
        return self.rows[no]

    def store(
        self, before: StoredExecution, execution: Execution, events: Sequence[AnyEvent], due: int | None, busy: int
    ) -> StoredExecution:
        self.written += 1
        self.events.setdefault(before.no, []).extend(events)
        self.rows[before.no] = msgspec.structs.replace(before, execution=execution, due=due, busy=busy)
        return self.rows[before.no]

    def due(self, now: int, limit: int) -> list[int]:
        return [no for no, row in self.rows.items() if row.due is not None and row.due <= now][:limit]

    def next_due(self, now: int) -> int:
        return min((row.due for row in self.rows.values() if row.due is not None and row.due > now), default=NEVER)

    def busy(self) -> list[int]:
        return [no for no, row in self.rows.items() if row.busy]

    def history(self, name: str) -> tuple[Machine, list[AnyEvent]] | None:
        found = self.find(name)
        return (parse(self.definitions[found.definition]), self.events[found.no]) if found else None

    def pin(self, digest: str, body: Json, now: int) -> int:
        self.definitions[1] = body
        return 1

    def definition(self, no: int) -> Json:
        return self.definitions[no]

    def live(self) -> list[LiveDefinition]:
        return []

    def routing(self, configured: int) -> Routing:
        return Routing(configured)

    def route(self, configured: int, routing: Routing) -> None:
        raise NotImplementedError

    def undo_routing(self) -> bool:
        return False

    def end_routing(self, configured: int) -> None:
        """There is never one."""


class Engine:
    """A driver over such a store. ``calls``: what it wants made; ``timers``: what it was told to wake at."""

    def __init__(self, definition: Json) -> None:
        adapters = EmbeddedAdapters()
        session = adapters._session
        self.store, self.now = MemoryExecutions(), NOON
        self.calls: list[PendingCall] = []
        self.timers: list[int] = []
        self.ended: list[str] = []
        self._ports = adapters._work()
        self._ports.claims.claim(Claim(ID, ""))
        stores = EngineStores(self.store, self.store, SqliteTaskTokens(session), SqliteNestedExecutions(session))
        definitions = Definitions(self.store)
        definitions.use(definition, NOON)
        ended = lambda no, name: self.ended.append(name)  # noqa: E731
        self.driver = Driver(stores, definitions, self.work, self.dispatch, self.timers.append, ended=ended)
        self.workflows = EmbeddedWorkflows(stores, definitions, self.driver, self.work, lambda done: done())

    def work(self) -> Work:
        return msgspec.structs.replace(self._ports, now=self.now)

    def dispatch(self, settle: Settle, pending: PendingCall) -> None:
        self.calls.append(pending)

    def start(self, input: Json = None) -> StoredExecution:
        assert self.workflows.start("one", input, self.now)
        return self.store.rows[1]


def test_an_execution_waits_for_its_timer_and_ends_when_that_fires() -> None:
    engine = Engine(WAIT)
    waiting = engine.start()
    assert (waiting.due, waiting.busy, engine.timers) == (NOON + 30_000, 0, [NOON + 30_000])

    engine.now += 29_999
    engine.driver.fire(1)
    assert engine.ended == []

    engine.now += 1
    engine.driver.fire(1)
    assert engine.ended == ["one"]
    assert engine.store.rows[1].due is None


def test_what_an_event_leads_to_at_once_is_stored_with_it_in_one_piece() -> None:
    engine = Engine(THREE_STATES)

    ended = engine.start({"a": 1})

    assert (ended.execution.status, ended.execution.output) == ("SUCCEEDED", {"a": 1})
    assert [type(event).__name__ for event in engine.store.events[1]] == ["Started", "TimerFired", "TimerFired"]
    assert engine.store.written == 1


def test_an_execution_that_exists_is_not_started_again() -> None:
    engine = Engine(WAIT)
    engine.start()

    assert not engine.workflows.start("one", None, NOON)
    assert engine.store.written == 1


CHARGE = {
    "StartAt": "Save",
    "States": {
        "Save": {"Type": "Task", "Resource": "InitializeOrder", "ResultPath": None, "Next": "Charge"},
        "Charge": {"Type": "Task", "Resource": "ProcessPayment", "End": True},
    },
}
ORDER = {"order": document(an_order())}


def test_an_execution_that_still_waits_for_the_same_is_not_stored_again() -> None:
    engine = Engine(CHARGE)
    assert engine.start(ORDER).busy == 1
    (call,) = engine.calls

    engine.driver.resume(1)

    assert [repeated.call.key for repeated in engine.calls] == [call.call.key] * 2
    assert [repeated.call.repeat for repeated in engine.calls] == [False, True]
    assert engine.store.written == 1


def test_a_call_that_failed_fails_its_task() -> None:
    engine = Engine(CHARGE)
    engine.start(ORDER)

    engine.driver.settle(engine.calls[0], CallFailed("PaymentUnavailable", "no answer"))

    execution = engine.store.rows[1].execution
    assert (execution.status, execution.error, execution.cause) == ("FAILED", "PaymentUnavailable", "no answer")
