"""Drives executions: each event moves its execution on until it has to wait for something outside.

    event ─→ the state machine ─→ commands ─→ tasks performed, timers set ─→ more events ─→ … ─→ stored

Everything happens inside one unit of work, and the execution is stored in it together with its events. What is left
are calls to the gateways; they go out once the unit of work is durable (``dispatch``).
"""

import zlib
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from operator import attrgetter

from expediter.app.ports import Outcome, TaskPorts
from expediter.app.tasks.calls import Answer
from expediter.app.tasks.order import perform
from expediter.asl import Execution, Steps, fixed_context, outstanding
from expediter.asl.protocol import (
    AnyEvent,
    Command,
    Json,
    ScheduleTask,
    Started,
    StartTimer,
    TaskFailed,
    TaskSucceeded,
    TaskTimedOut,
    TimerFired,
)
from expediter.asl.run import no_pause
from expediter.domain.errors import OrderError, StoreUnavailable
from expediter.embedded.clock import SEEDS
from expediter.embedded.engine.aws_services import AWAITED, PerformTask, ServiceFailure
from expediter.embedded.engine.definitions import Definitions
from expediter.embedded.engine.lambda_tasks import LambdaTasks
from expediter.embedded.engine.nested import SEPARATOR, NestedExecutions
from expediter.embedded.engine.pending_calls import CallFailed, PendingCall, Settle
from expediter.embedded.engine.ports import (
    NEVER,
    AwaitedTask,
    EngineStores,
    Routing,
    StoredExecution,
)
from expediter.embedded.engine.task_tokens import TokenWait

_STATE = attrgetter("state")


class Driver:
    """``work``: the ports and the time of the unit of work that runs. ``dispatch``: has a call made once the unit of
    work is durable, and then runs the given function with the answer. ``wake_at``: is called with the time of
    each timer. ``pause``: is called between steps that may take long. ``ended``: is called with the number and the
    name of each execution that ended.
    """

    def __init__(
        self,
        stores: EngineStores,
        definitions: Definitions,
        work: Callable[[], TaskPorts],
        dispatch: Callable[[Settle, PendingCall], None],
        wake_at: Callable[[int], None],
        *,
        pause: Callable[[], None] = no_pause,
        ended: Callable[[int, str], None] | None = None,
    ) -> None:
        self._executions = stores.executions
        self._definitions = definitions
        self._tokens = stores.tokens
        self._work = work
        self._wake_at = wake_at
        self._pause = pause
        self._ended = ended
        wait = TokenWait(stores.tokens, wake_at)
        self._nested = NestedExecutions(stores, definitions, wait, self.drive)
        self._dispatch = partial(dispatch, self.settle)
        lambdas = LambdaTasks(wait, self._dispatch)
        #: What performs a task, by its Resource. Every other Resource is the name of a task of ours.
        self._resources: Mapping[str, PerformTask] = {**lambdas.resources, **self._nested.resources}

    def start(self, name: str, input: Json, now: int) -> bool:
        """Starts an execution; False when one of this name exists."""
        execution = self._executions.create(name, chosen(self._definitions.routing, name))
        if execution is None:
            return False
        context = {
            "Execution": {"Id": name, "Name": name, "RedriveCount": 0},
            "StateMachine": {"Id": "orders", "Name": "orders"},
        }
        event = Started(at=now, seed=next(SEEDS), input=input, context=fixed_context(context))
        self.drive(self._work(), execution, (event,))
        return True

    def settle(self, pending: PendingCall, answer: Answer | CallFailed) -> None:
        """A call is over. Performs its task with the answer, which may need another call, or fails the task."""
        execution = self._executions.load(pending.execution)
        if execution is None:
            return
        work = self._work()
        if type(answer) is CallFailed:
            event: AnyEvent | None = _failed(work, pending.task, answer)
        else:
            event = self._perform(work, execution, pending.task, answer)
        self.drive(work, execution, () if event is None else (event,))

    def fire(self, no: int) -> None:
        """Fires the timers of an execution that are due, and ends tasks that waited for their tokens too long."""
        execution = self._executions.load(no)
        if execution is None:
            return
        work = self._work()
        commands = self._outstanding(execution)
        events: list[AnyEvent] = [
            TimerFired(at=work.now, seed=next(SEEDS), timer=command.timer)
            for command in commands
            if isinstance(command, StartTimer) and command.at <= work.now
        ]
        awaited = self._awaited(execution, commands)
        events.extend(TaskTimedOut(work.now, next(SEEDS), late.task) for late in awaited if late.until <= work.now)
        if events:
            self.drive(work, execution, events)

    def resume(self, no: int) -> None:
        """Performs again the tasks that a process before this one had under way; their calls may have gone out."""
        execution = self._executions.load(no)
        if execution is None:
            return
        work = self._work()
        commands = self._outstanding(execution)
        called = {task.task for task in self._awaited(execution, commands) if not task.busy}
        tasks = [command for command in commands if isinstance(command, ScheduleTask) and command.task not in called]
        events = [self._perform(work, execution, task, repeat=True) for task in tasks]
        self.drive(work, execution, [event for event in events if event is not None])

    def drive(self, work: TaskPorts, execution: StoredExecution, events: Sequence[AnyEvent]) -> None:
        """Advances the execution by these events and what they lead to, until it waits, and stores it."""
        steps = Steps(self._definitions.machines[execution.definition], execution.execution, pause=self._pause)
        arrived, taken, waits = deque(events), [], False
        commands: Sequence[Command] = ()
        while arrived:
            event = arrived.popleft()
            taken.append(event)
            commands = steps.take(event)
            for command in commands:
                # The classes are compared, because isinstance is slow for an object of another class.
                if type(command) is ScheduleTask:
                    waits = waits or command.resource in AWAITED
                    follows = self._perform(work, execution, command)
                elif type(command) is StartTimer:
                    follows = self._set_timer(work, command)
                else:
                    follows = None  # the execution has ended
                if follows is not None:
                    arrived.append(follows)
        if states := self._definitions.awaiting.get(execution.definition):
            waits = waits or not states.isdisjoint(map(_STATE, execution.execution.frames.values()))
        self._store(work, execution, steps.freeze(), taken, commands, waits=waits)

    def _store(
        self,
        work: TaskPorts,
        before: StoredExecution,
        execution: Execution,
        events: Sequence[AnyEvent],
        commands: Sequence[Command],
        *,
        waits: bool,
    ) -> None:
        """``commands``: those of the last step. An execution without parallel branches waits for these only.

        ``waits``: a task that ends later than its call was begun, or may have ended.
        """
        if not commands or len(execution.frames) > 1 or execution.deadline is not None:
            commands = outstanding(self._definitions.machines[before.definition], execution, self._pause)
        awaited = self._awaited(before, commands) if waits else ()
        due, busy = _due(execution, commands, awaited)
        if not events and (due, busy) == (before.due, before.busy):
            return
        after = self._executions.store(before, execution, events, due, busy)
        if execution.status != "RUNNING":
            if SEPARATOR in after.name:
                self._nested.ended(work, after)
            elif self._ended:
                self._ended(after.no, after.name)

    def _set_timer(self, work: TaskPorts, timer: StartTimer) -> TimerFired | None:
        """Sets a timer; one that is due fires at once."""
        if timer.at <= work.now:
            return TimerFired(work.now, next(SEEDS), timer.timer)
        self._wake_at(timer.at)
        return None

    def _perform(
        self,
        work: TaskPorts,
        execution: StoredExecution,
        task: ScheduleTask,
        answer: Answer | None = None,
        repeat: bool = False,
    ) -> AnyEvent | None:
        """Performs a task until it ends or has to wait. Returns the event that ends it, or None while it waits."""
        try:
            if service := self._resources.get(task.resource):
                return service(work, execution, task, answer, repeat)
            result = perform(work, task.resource, task.input, answer, repeat)
        except StoreUnavailable:
            raise
        except (OrderError, ServiceFailure) as error:
            return _failed(work, task, CallFailed(error.name, str(error)))
        except Exception as error:  # noqa: BLE001  # as in a Lambda: an error of a task fails that task
            return _failed(work, task, CallFailed(type(error).__name__, str(error)))
        if type(result) is Outcome:
            return TaskSucceeded(work.now, next(SEEDS), task.task, result.output)
        self._dispatch(PendingCall(execution.no, task, result))
        return None

    def _outstanding(self, execution: StoredExecution) -> Sequence[Command]:
        """What the execution waits for."""
        return outstanding(self._definitions.machines[execution.definition], execution.execution, self._pause)

    def _awaited(self, execution: StoredExecution, commands: Sequence[Command]) -> Sequence[AwaitedTask]:
        """Those of its tasks that end later than their calls."""
        if execution.definition not in self._definitions.awaiting:
            return ()
        tasks = [command.task for command in commands if isinstance(command, ScheduleTask)]
        return self._tokens.awaited(execution.no, tasks)


def chosen(routing: Routing, name: str) -> int:
    """The definition that a new execution starts on. The same name always has the same share of a hundred."""
    first, percent, second = routing
    return first if second is None or zlib.crc32(name.encode()) % 100 < percent else second


def _failed(work: TaskPorts, task: ScheduleTask, failure: CallFailed) -> AnyEvent:
    """The event of a task that failed or took too long."""
    if failure.error is None:
        return TaskTimedOut(at=work.now, seed=next(SEEDS), task=task.task)
    submitted = task.resource not in AWAITED
    return TaskFailed(work.now, next(SEEDS), task.task, failure.error, failure.cause, submitted=submitted)


def _due(execution: Execution, commands: Sequence[Command], awaited: Sequence[AwaitedTask]) -> tuple[int | None, int]:
    """When the next timer of the execution fires, and 1 when a new process has to repeat a call of it (else 0)."""
    if execution.status != "RUNNING":
        return None, 0
    due, quiet = NEVER, 0
    for command in commands:
        if type(command) is StartTimer:
            due, quiet = min(due, command.at), quiet + 1
    for task in awaited:
        due, quiet = min(due, task.until), quiet + (not task.busy)
    return due, int(quiet < len(commands))
