"""The executions as the use cases see them: start one, read its events, redrive one."""

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from expediter.app.ports import TaskPorts
from expediter.asl import replay
from expediter.asl.protocol import Json, Redriven
from expediter.asl.run import no_pause
from expediter.domain.errors import TaskTokenUnknown
from expediter.embedded.clock import SEEDS
from expediter.embedded.engine import aws_services
from expediter.embedded.engine.definitions import Definitions
from expediter.embedded.engine.driver import Driver
from expediter.embedded.engine.ports import EngineStores, ExecutionStore, Routing
from expediter.embedded.engine.task_tokens import TaskHeartbeat, TaskReport, TaskSuccess, event_of


class EmbeddedWorkflows:
    """The port ``Workflows``, and what operators and the holders of task tokens do. Each call belongs into a unit of
    work; ``work`` gives its ports and its time, ``after`` takes what is done once it is durable.
    """

    def __init__(
        self,
        stores: EngineStores,
        definitions: Definitions,
        driver: Driver,
        work: Callable[[], TaskPorts],
        after: Callable[[Callable[[], None]], None],
    ) -> None:
        self._executions = stores.executions
        self._definitions = stores.definitions
        self.definitions = definitions
        self._tokens = stores.tokens
        self._driver = driver
        self._work = work
        self._after = after
        self.start = driver.start

    def history(self, name: str) -> list[dict[str, Any]] | None:
        return history(self._executions, name)

    def redrive(self, name: str, state: str, input: Json) -> bool:
        """Lets an execution that failed go on at ``state``. Returns False when it cannot."""
        execution = self._executions.find(name)
        if execution is None or execution.execution.status in {"RUNNING", "SUCCEEDED"}:
            return False
        machine = self.definitions.machine(execution.definition)
        if state not in machine.definition["States"] or aws_services.unknown(machine.resources):
            return False
        work = self._work()
        self._driver.drive(work, execution, (Redriven(at=work.now, seed=next(SEEDS), state=state, input=input),))
        return True

    def answer(self, token: str, output: Json) -> bool:
        """Ends the task that waits for this token; False when none does (any more)."""
        try:
            self.report(token, TaskSuccess(output))
        except TaskTokenUnknown:
            return False
        return True

    def publish(self, definition: Json) -> int:
        """Stores a definition as a version on which no execution starts yet; its number.

        Raises DefinitionInvalid, and DataRefused when it needs what this server does not have.
        """
        return self.definitions.publish(definition, self._work().now)

    def route(self, routing: Routing) -> bool:
        """Starts new executions so, once this is durable; False when they start so already."""
        if self._definitions.routing(self.definitions.configured) == routing:
            return False
        self._definitions.route(self.definitions.configured, routing)
        self._after(partial(self.definitions.follow, routing))
        return True

    def undo_route(self) -> bool:
        """Takes the last routing back; False when there is none, or when the last act took one back."""
        if not self._definitions.undo_routing():
            return False
        self._after(partial(self.definitions.follow, self._definitions.routing(self.definitions.configured)))
        return True

    def report(self, token: str, report: TaskReport) -> None:
        """Ends the task that waits for this token, or notes its heartbeat. Raises TaskTokenUnknown."""
        work = self._work()
        waiting = self._tokens.find(token, work.now)
        execution = self._executions.load(waiting.execution)
        if execution is None:
            raise TaskTokenUnknown
        if isinstance(report, TaskHeartbeat):
            self._tokens.beat(token, work.now)
            self._driver.drive(work, execution, ())
        else:
            self._driver.drive(work, execution, (event_of(report, waiting.task, work.now, next(SEEDS)),))


class ReadOnlyWorkflows:
    """The port ``Workflows`` over a connection that only reads."""

    def __init__(self, executions: ExecutionStore, pause: Callable[[], None] = no_pause) -> None:
        self._executions = executions
        self._pause = pause

    def start(self, _name: str, _input: Json, _now: int, /) -> bool:
        raise RuntimeError("This connection only reads; an execution is started in a unit of work.")

    def answer(self, _token: str, _output: Json, /) -> bool:
        raise RuntimeError("This connection only reads; a task is ended in a unit of work.")

    def history(self, name: str) -> list[dict[str, Any]] | None:
        try:
            return history(self._executions, name, self._pause)
        except HistoryTakesLong as error:
            error.name = name
            raise


class KnownHistory(ReadOnlyWorkflows):
    """The history of one execution is known already."""

    def __init__(self, executions: ExecutionStore, name: str, events: list[dict[str, Any]] | None) -> None:
        super().__init__(executions)
        self._known = name, events

    def history(self, name: str) -> list[dict[str, Any]] | None:
        known, events = self._known
        return events if name == known else super().history(name)


class HistoryTakesLong(Exception):
    """A history whose expressions take so long that it is derived elsewhere. ``name``: of the execution."""

    name = ""


def history(executions: ExecutionStore, name: str, pause: Callable[[], None] = no_pause) -> list[dict[str, Any]] | None:
    """Every event of the execution in AWS's shape; None when there is no execution of this name."""
    found = executions.history(name)
    return None if found is None else [msgspec.to_builtins(event) for event in replay(*found, pause)]
