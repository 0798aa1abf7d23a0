"""Runs the state machine of each order inside the writer's units.

Every event goes the same way: advance the execution, perform the tasks it asks for as far as they go without the
outside, feed their results back, and store the execution with its events in the same unit. What is left are calls to
outside parties; they go out once the unit is durable (``dispatch``).
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

import msgspec

from expediter.app.ports import Outcome, Work
from expediter.app.tasks.calls import Answer, Call
from expediter.app.tasks.order import TASKS, perform
from expediter.asl import Execution, Machine, Steps, fixed_context, outstanding, parse, replay
from expediter.asl.protocol import (
    AnyEvent,
    Command,
    Json,
    Redriven,
    ScheduleTask,
    Started,
    StartTimer,
    TaskFailed,
    TaskSucceeded,
    TaskTimedOut,
    TimerFired,
)
from expediter.domain.errors import OrderError, StoreUnavailable, TaskTokenUnknown
from expediter.embedded.clock import SEEDS
from expediter.embedded.engine import aws_services, nested
from expediter.embedded.engine.aws_services import ServiceFailure
from expediter.embedded.engine.nested import DEEPEST, Children, Parent
from expediter.embedded.sqlite.database import DataRefused, Session
from expediter.embedded.stores.claims import SqliteClaims
from expediter.embedded.stores.executions import Awaited, Executions, Stored
from expediter.embedded.stores.task_tokens import Heartbeat, Report, TaskTokens, event_of, limit


@final
class Errand(msgspec.Struct, frozen=True, gc=False):
    """A call that has to be made for a task of an execution."""

    no: int
    task: ScheduleTask
    call: Call


@final
class Failure(msgspec.Struct, frozen=True, gc=False):
    """What became of a call that brought no answer: an ASL error name and its cause; None: it took too long."""

    error: str | None
    cause: str


class SqliteWorkflows:
    """``work``: the unit's ports and time. ``dispatch``, ``wake_at`` and ``ended`` are told from inside the unit."""

    def __init__(
        self,
        session: Session,
        work: Callable[[], Work],
        dispatch: Callable[[Errand], None],
        wake_at: Callable[[int], None],
    ) -> None:
        self._claims = SqliteClaims(session)
        self._store = Executions(session)
        self._tokens = TaskTokens(session)
        self._children = Children(session, self._store)
        self._depth = 0
        self._work = work
        self._dispatch = dispatch
        self._wake_at = wake_at
        self.ended: Callable[[int, str], None] | None = None
        self._machines: dict[int, Machine] = {}
        #: Those of them with tasks that somebody outside answers.
        self._awaiting: set[int] = set()
        self._current = 0

    def use(self, definition: Json, now: int, library: Callable[[], Mapping[str, Json]] = dict) -> None:
        """Starts new executions on this definition; those under way keep their own.

        ``library``: the definitions that workflows may start by name; asked for only when one does.
        Raises DefinitionInvalid, and DataRefused when a live execution needs a task that this code lacks.
        """
        live = self._store.live_definitions()
        for no, body, _ in live:
            self._know(no, parse(body, accepted=True))
        refused = [
            (missing, count) for no, _, count in live if (missing := aws_services.unknown(self._machines[no].resources))
        ]
        if refused:
            lines = [f"{count} orders run on a definition with {', '.join(sorted(names))}" for names, count in refused]
            raise DataRefused(f"Tasks are missing: {'; '.join(lines)}. Start a version of the code that has them.")
        self._current = self._pinned(definition, now)
        if any(aws_services.STARTS & machine.resources for machine in self._machines.values()):
            self._children.library = {name: self._pinned(body, now) for name, body in library().items()}

    def _pinned(self, definition: Json, now: int) -> int:
        machine = parse(definition)
        if unknown := aws_services.unknown(machine.resources):
            known = ", ".join((*TASKS, *sorted(aws_services.SERVICES)))
            raise DataRefused(f"No such task: {', '.join(sorted(unknown))}. There are: {known}.")
        digest = hashlib.sha256(msgspec.json.encode(definition, order="sorted")).hexdigest()
        no = self._store.pin(digest, definition, now)
        self._know(no, machine)
        return no

    def _know(self, no: int, machine: Machine) -> None:
        self._machines[no] = machine
        if not aws_services.AWAITED.isdisjoint(machine.resources):
            self._awaiting.add(no)

    @property
    def current(self) -> int:
        """The number of the definition that new executions start on."""
        return self._current

    # ── the port ──────────────────────────────────────────────────────────────────────────────────────────────────

    def start(self, name: str, input: Json, now: int) -> bool:
        no = self._claims.number(name)
        if no is None:
            raise StoreUnavailable(f"An execution was to be started under an id that nobody has claimed: {name}")
        if self._store.load(no) is not None:
            return False
        context = {"Execution": {"Id": name, "Name": name}, "StateMachine": {"Id": "orders", "Name": "orders"}}
        event = Started(at=now, seed=next(SEEDS), input=input, context=fixed_context(context))
        self._drive(self._work(), Stored(no, name, self._current, Execution()), [event])
        return True

    def history(self, name: str) -> list[dict[str, Any]] | None:
        found = self._store.history(name)
        return None if found is None else [msgspec.to_builtins(event) for event in replay(*found)]

    def redrive(self, name: str, state: str, input: Json) -> bool:
        """Sets an execution that ended unsuccessfully going again at ``state``; False when it cannot."""
        no = self._claims.number(name)
        stored = None if no is None else self._store.load(no)
        if stored is None or stored.execution.status in {"RUNNING", "SUCCEEDED"}:
            return False
        if stored.definition not in self._machines:
            self._know(stored.definition, parse(self._store.definition(stored.definition), accepted=True))
        machine = self._machines[stored.definition]
        if state not in machine.definition["States"] or aws_services.unknown(machine.resources):
            return False
        event = Redriven(at=self._work().now, seed=next(SEEDS), state=state, input=input)
        self._drive(self._work(), stored, [event])
        return True

    # ── what the runtime feeds in, each inside a unit ─────────────────────────────────────────────────────────────

    def settle(self, errand: Errand, answer: Answer | Failure) -> None:
        """The result of a call: performs its task on with the answer, which may need another call, or fails it."""
        stored = self._store.load(errand.no)
        if stored is None:
            return
        work = self._work()
        result: AnyEvent | Errand | None
        if type(answer) is Failure:
            result = self._failed(errand.task, answer)
        else:
            result = self._perform(work, errand.no, errand.task, answer)
        if type(result) is Errand:
            self._dispatch(result)
        else:
            self._drive(work, stored, [] if result is None else [result])

    def fire(self, no: int) -> None:
        """Fires the timers of an execution that are due, and the time limits of tasks that wait for their tokens."""
        stored = self._store.load(no)
        if stored is None:
            return
        work = self._work()
        waits, awaited = self._waits(stored, stored.execution)
        due: list[AnyEvent] = [
            TimerFired(at=work.now, seed=next(SEEDS), timer=wait.timer)
            for wait in waits
            if isinstance(wait, StartTimer) and wait.at <= work.now
        ]
        due.extend(TaskTimedOut(work.now, next(SEEDS), late.task) for late in awaited if late.until <= work.now)
        if due:
            self._drive(work, stored, due)

    def resume(self, no: int) -> None:
        """Takes up the tasks that a process before this one had under way; their calls may have gone out."""
        stored = self._store.load(no)
        if stored is None:
            return
        waits, awaited = self._waits(stored, stored.execution)
        called = {wait.task for wait in awaited if not wait.busy}
        tasks = [wait for wait in waits if isinstance(wait, ScheduleTask) and wait.task not in called]
        work = self._work()
        results = [self._perform(work, no, task, repeat=True) for task in tasks]
        errands = [result for result in results if isinstance(result, Errand)]
        if len(errands) < len(results):
            events = [found for found in results if found is not None and not isinstance(found, Errand)]
            self._drive(work, stored, events)
        for errand in errands:
            self._dispatch(errand)

    def report(self, token: str, report: Report) -> None:
        """What whoever has a task's token says of the task. Raises TaskTokenUnknown."""
        work = self._work()
        waiting = self._tokens.find(token, work.now)
        stored = self._store.load(waiting.execution)
        if stored is None:
            raise TaskTokenUnknown
        if isinstance(report, Heartbeat):
            self._tokens.beat(token, work.now)
            self._drive(work, stored, [])
        else:
            self._drive(work, stored, [event_of(report, waiting.task, work.now, next(SEEDS))])

    # ── inside ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _drive(self, work: Work, stored: Stored, events: list[AnyEvent]) -> None:
        """Advances the execution until it waits for the outside, and stores it.

        ``events`` grows by what carrying the execution's commands out leads to at once.
        """
        steps = Steps(self._machines[stored.definition], stored.execution)
        asked: list[Command] = []
        for event in events:
            asked = steps.take(event)
            for command in asked:
                # The kinds are compared, because isinstance takes its longest way for a struct of another kind.
                if type(command) is ScheduleTask:
                    follows = self._perform(work, stored.no, command)
                elif type(command) is StartTimer:
                    follows = self._wait(work, command)
                else:
                    break  # it has ended
                if type(follows) is Errand:
                    self._dispatch(follows)
                elif follows is not None:
                    events.append(follows)
        execution = steps.freeze()
        waits, awaited = self._waits(stored, execution, asked)
        after = self._store.store(stored, execution, events, waits, awaited)
        if execution.status != "RUNNING":
            self._over(after)

    def _waits(
        self, stored: Stored, execution: Execution, asked: Sequence[Command] = ()
    ) -> tuple[Sequence[Command], tuple[Awaited, ...]]:
        """What the execution waits for, and which of its tasks somebody outside answers.

        ``asked``: what its last step asked for, which is all that a single line waits for.
        """
        if not asked or len(execution.frames) > 1 or execution.deadline is not None:
            asked = outstanding(self._machines[stored.definition], execution)
        if stored.definition not in self._awaiting:
            return asked, ()
        tasks = [wait.task for wait in asked if isinstance(wait, ScheduleTask)]
        return asked, self._tokens.awaited(stored.no, tasks)

    def _wait(self, work: Work, timer: StartTimer) -> TimerFired | None:
        """Sets a timer; one that is due fires at once."""
        if timer.at <= work.now:
            return TimerFired(work.now, next(SEEDS), timer.timer)
        self._wake_at(timer.at)
        return None

    def _perform(
        self, work: Work, no: int, task: ScheduleTask, answer: Answer | None = None, repeat: bool = False
    ) -> AnyEvent | Errand | None:
        """Runs a task as far as it goes; None: it waits for somebody to answer it."""
        try:
            if task.resource not in TASKS:
                if task.resource in aws_services.AWAITED and answer is None and not repeat:
                    self._tokens.expect(no, task, work.now)
                    self._wake_at(limit(task, work.now))
                return self._serve(work, no, task, answer, repeat)
            result = perform(work, task.resource, task.input, answer, repeat)
        except StoreUnavailable:
            raise
        except ServiceFailure as failure:
            return self._failed(task, Failure(failure.error, str(failure)))
        except OrderError as error:
            return self._failed(task, Failure(error.name, str(error)))
        except Exception as error:  # noqa: BLE001  # as in a Lambda: whatever a task raises is the task's failure
            return self._failed(task, Failure(type(error).__name__, str(error)))
        if type(result) is Outcome:
            return TaskSucceeded(work.now, next(SEEDS), task.task, result.output)
        return Errand(no, task, result)

    def _serve(
        self, work: Work, no: int, task: ScheduleTask, answer: Answer | None, repeat: bool
    ) -> AnyEvent | Errand | None:
        """What a service of AWS would do. Raises ServiceFailure, OrderError, and whatever a task raises."""
        if task.resource in aws_services.STARTS:
            return self._start(no, task, work)
        name, given = aws_services.invocation(task)
        result = perform(work, name, given, answer, repeat)
        if not isinstance(result, Outcome):
            return Errand(no, task, result)
        if task.resource in aws_services.AWAITED:
            self._tokens.called(no, task.task)
            return None
        return TaskSucceeded(work.now, next(SEEDS), task.task, aws_services.envelope(result.output))

    def _start(self, no: int, task: ScheduleTask, work: Work) -> AnyEvent | None:
        """Starts another execution, as far as it goes in this unit. Raises ServiceFailure."""
        now = work.now
        if self._depth == DEEPEST:
            raise nested.too_deep()
        child = self._children.claim(no, task)
        if child.new:
            self._depth += 1
            try:
                event = Started(now, next(SEEDS), input=child.input, context=nested.context(child.stored.name))
                self._drive(work, child.stored, [event])
            finally:
                self._depth -= 1
        if task.resource == aws_services.START:
            output = nested.started(child.stored, now)
            return TaskSucceeded(at=now, seed=next(SEEDS), task=task.task, output=output)
        if task.resource in aws_services.SYNC:
            parent = Parent(no, task.task, aws_services.SYNC[task.resource])
            stored = self._store.load(child.stored.no)
            if stored is not None and stored.execution.status != "RUNNING":
                return self._children.answer(stored, parent, now, next(SEEDS))
            self._children.wait(child.stored, parent)
        self._tokens.called(no, task.task)
        return None

    def _over(self, ended: Stored) -> None:
        if nested.is_child(ended.name):
            self._tell_parents(ended)
        elif self.ended:
            self.ended(ended.no, ended.name)

    def _tell_parents(self, child: Stored) -> None:
        """A nested execution has ended: whoever waits for it goes on, in the same unit."""
        work = self._work()
        for parent in self._children.waiting(child):
            stored = self._store.load(parent.execution)
            if stored is not None:
                self._drive(work, stored, [self._children.answer(child, parent, work.now, next(SEEDS))])

    def _failed(self, task: ScheduleTask, failure: Failure) -> AnyEvent:
        now, seed = self._work().now, next(SEEDS)
        if failure.error is None:
            return TaskTimedOut(at=now, seed=seed, task=task.task)
        submitted = task.resource not in aws_services.AWAITED
        return TaskFailed(now, seed, task.task, failure.error, failure.cause, submitted=submitted)
