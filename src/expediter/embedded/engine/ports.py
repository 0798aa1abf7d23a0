"""What the engine needs of a database, as Protocols, and the values that it stores there.

SQLite is one implementation of each (``embedded/stores``). Times are milliseconds since 1970 UTC.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, Protocol

import msgspec

from expediter.asl import Execution, Machine
from expediter.asl.protocol import AnyEvent, Json, ScheduleTask

#: ``due`` of an execution that has not ended but waits for no timer: a time after the year 9999, in milliseconds.
NEVER: Final = 253_402_300_800_000


class StoredExecution(msgspec.Struct, frozen=True, gc=False):
    """One execution: its number, its name (an order's id), the definition it is pinned to, and its value.

    ``due``: when its next timer fires (None: it ended). ``busy``: a call of it is under way, and a new process has to
    make it again. ``log``: the events since its row was last written, as lines of JSON.
    """

    no: int
    name: str
    definition: int
    execution: Execution
    due: int | None = NEVER
    busy: int = 0
    log: bytes = b""


class ExecutionStore(Protocol):
    """The executions by number and by name."""

    def create(self, name: str, definition: int) -> StoredExecution | None:
        """A new execution under a claimed name; None when there is one of this name. Raises StoreUnavailable."""

    def find(self, name: str) -> StoredExecution | None: ...

    def load(self, no: int) -> StoredExecution | None: ...

    def store(
        self, before: StoredExecution, execution: Execution, events: Sequence[AnyEvent], due: int | None, busy: int
    ) -> StoredExecution:
        """Stores the execution as it is after ``events``, and the events."""

    def due(self, now: int, limit: int) -> list[int]:
        """Executions with a timer or a time limit that is over, longest overdue first."""

    def next_due(self, now: int) -> int:
        """When the next timer after ``now`` fires; NEVER if there is none."""

    def busy(self) -> list[int]:
        """Executions that have a call under way, the oldest first."""

    def history(self, name: str) -> tuple[Machine, list[AnyEvent]] | None:
        """The machine and every event of an execution, in their order."""


class LiveDefinition(NamedTuple):
    """A definition on which executions still run, and how many."""

    no: int
    body: Json
    executions: int


class Routing(NamedTuple):
    """On which definitions new executions start: ``percent`` of a hundred on ``first``, the others on ``second``."""

    first: int
    percent: int = 100
    second: int | None = None

    def shares(self) -> dict[int, int]:
        """Definition -> its percentage of new executions."""
        found = {self.first: self.percent}
        if self.second is not None:
            found[self.second] = 100 - self.percent
        return found


class DefinitionStore(Protocol):
    """The definitions that executions are pinned to."""

    def pin(self, digest: str, body: Json, now: int) -> int:
        """The number of this definition, new or known."""

    def definition(self, no: int) -> Json: ...

    def live(self) -> list[LiveDefinition]: ...

    def routing(self, configured: int) -> Routing:
        """The newest routing that was made while this definition was the configured one; else all of it there."""

    def route(self, configured: int, routing: Routing) -> None: ...

    def undo_routing(self) -> bool:
        """Undoes the newest routing: the one before it holds again, and cannot be undone itself. False when there is
        none, or the newest cannot be undone.
        """

    def end_routing(self, configured: int) -> None:
        """Deletes every routing that was made while another definition was the configured one."""


class AwaitedTask(NamedTuple):
    """A task that ends when its token comes back or its nested execution ends. ``until``: NEVER when it has no time
    limit.

    ``busy``: its own call is still under way.
    """

    task: int
    busy: bool
    until: int


class TokenTask(NamedTuple):
    """The task that a token stands for, and its execution."""

    execution: int
    task: int


class TaskTokenStore(Protocol):
    """The tasks that wait for their tokens."""

    def expect(self, execution: int, task: ScheduleTask, now: int) -> None:
        """From now on the task can be answered with its token. Its time limits begin."""

    def called(self, execution: int, task: int) -> None:
        """The task's own call is over: only its token can end it now."""

    def awaited(self, execution: int, outstanding: Iterable[int]) -> tuple[AwaitedTask, ...]:
        """The tasks that wait for their tokens; deletes those that are no longer outstanding."""

    def find(self, token: str, now: int) -> TokenTask:
        """Raises TaskTokenUnknown, also when the task's time limit is over."""

    def beat(self, token: str, now: int) -> None:
        """The task's HeartbeatSeconds begin anew."""


class ParentTask(NamedTuple):
    """The task that waits for a nested execution. ``parsed``: it gets the output as JSON, not as text."""

    execution: int
    task: int
    parsed: bool


class ClaimedName(NamedTuple):
    """The number that a name stands for, the fingerprint of its first claim, and whether this claim is the first."""

    no: int
    fingerprint: str
    new: bool


class NestedExecutionStore(Protocol):
    """The names of nested executions, and the tasks that wait for them."""

    def claim(self, name: str, fingerprint: str) -> ClaimedName: ...

    def wait(self, child: int, parent: ParentTask) -> None:
        """The parent's task ends when the child does."""

    def take_parents(self, child: int) -> list[ParentTask]:
        """The tasks that wait for the child; deletes them."""


class EngineStores(NamedTuple):
    """What the engine stores, all of it in one database."""

    executions: ExecutionStore
    definitions: DefinitionStore
    tokens: TaskTokenStore
    nested: NestedExecutionStore


class MessageCount(Protocol):
    """How many messages there are."""

    def receivable(self, now: int, limit: int) -> int:
        """Messages that can be received now, counted up to ``limit``."""
