"""Map: the same states for every item, a few at a time, the array of their outputs out.

Inline, the iterations are lines of this execution. Distributed, each is an execution of its own: it numbers its own
events, sees its own context and no variables from outside, and may fail without failing the Map.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from expediter.asl.errors import StateFailure
from expediter.asl.execution import Frame, Group
from expediter.asl.expressions.scope import Scope
from expediter.asl.protocol import Json, ScheduleTask, TaskFailed, TaskSucceeded, TaskTimedOut
from expediter.asl.states.group import GroupState
from expediter.asl.states.interpreter import Interpreter
from expediter.asl.states.retry import Handlers
from expediter.asl.states.state import Arguments, Finish, State
from expediter.asl.texts import copy_json, json_text

#: AWS runs at most this many inline iterations at once, whatever MaxConcurrency says.
INLINE_LIMIT = 40
#: AWS would run 10,000 child executions at once; here all that are open are stored with each step.
DISTRIBUTED_LIMIT = 1_000
THRESHOLD = "States.ExceedToleratedFailureThreshold"

Items: TypeAlias = Callable[[Scope, Frame], list[Json]]
Number: TypeAlias = Callable[[Scope, Frame], float | None]


class Source(NamedTuple):
    """An ItemReader: what to ask the store for, and how to read its answer. ``most``: MaxItems, 0 for all."""

    resource: str
    arguments: Arguments
    most: Number
    read: Callable[[Json], list[Json]]


class Writer(NamedTuple):
    """A ResultWriter: the results go to the store, and the state's result says where."""

    resource: str
    arguments: Arguments


class Settings(NamedTuple):
    """The fields of a Map that are not about data flow."""

    start: str
    distributed: bool
    items: Items
    select: Arguments | None
    concurrency: Number
    tolerated_count: Number
    tolerated_percentage: Number
    batch: Callable[[Scope, Frame, list[Json]], list[Json]] | None = None
    source: Source | None = None
    writer: Writer | None = None
    label: str = ""


class Map(GroupState):
    __slots__ = ("settings",)
    kind = "Map"

    def __init__(
        self,
        name: str,
        target: str | None,
        arguments: Arguments | None,
        finish: Finish | None,
        handlers: Handlers,
        *,
        settings: Settings,
    ) -> None:
        super().__init__(name, target, arguments, finish, handlers)
        self.settings = settings

    def resume(self, run: Interpreter, frame: Frame) -> State | None:
        source = self.settings.source
        if source is None:
            return self._begin(run, frame, self.settings.items(run, frame))
        self._limits(run, frame)  # a number that is none fails before anything is read
        frame.group = Group(most=int(source.most(run, frame) or 0))
        return self._ask(run, frame)

    # --- the store: an ItemReader before, a ResultWriter after ------------------------------------------------

    def _ask(self, run: Interpreter, frame: Frame) -> State | None:
        frame.task = run.number()
        frame.seed = run.seed
        task = self.request(run, frame)
        if task is not None:
            run.commands.append(task)
        return None

    def request(self, run: Interpreter, frame: Frame) -> ScheduleTask | None:
        if frame.task is None or frame.group is None:
            return None
        run.seed, run.draws = frame.seed, 0
        writer, source = self.settings.writer, self.settings.source
        if frame.group.items is not None and writer is not None:
            wanted = {**writer.arguments(run, frame), "Body": json_text(self._results(frame.group))}
            return ScheduleTask(frame.task, self.name, writer.resource, wanted, frame.attempt)
        if source is not None:
            return ScheduleTask(frame.task, self.name, source.resource, source.arguments(run, frame), frame.attempt)
        return None

    def succeeded(self, run: Interpreter, frame: Frame, event: TaskSucceeded) -> State | None:
        frame.task = None
        group = self.group_of(frame)
        if group.items is not None and self.settings.writer is not None:
            wanted = self.settings.writer.arguments(run, frame)
            key = f"{wanted.get('Prefix', '')}/{self._run_id(frame)}/manifest.json".removeprefix("/")
            details = {"Bucket": wanted.get("Bucket"), "Key": key}
            return self._leave(run, frame, {"MapRunArn": self._run_arn(run, frame), "ResultWriterDetails": details})
        items = [] if self.settings.source is None else self.settings.source.read(copy_json(event.output))
        return self._begin(run, frame, items[: group.most] if group.most else items)

    def failed(self, run: Interpreter, frame: Frame, event: TaskFailed) -> State | None:
        raise self._store_failure(run, frame, event.cause)

    def timed_out(self, run: Interpreter, frame: Frame, _event: TaskTimedOut) -> State | None:
        raise self._store_failure(run, frame, None)

    def _store_failure(self, run: Interpreter, frame: Frame, cause: str | None) -> StateFailure:
        writing = self.group_of(frame).items is not None
        frame.task, frame.group = None, None
        failure = StateFailure("States.ResultWriterFailed" if writing else "States.ItemReaderFailed", cause)
        if writing:
            run.note(frame, "MapRunFailed", {"error": failure.error, "cause": cause})
        return failure

    # --- iterations -------------------------------------------------------------------------------------------

    def _limits(self, run: Interpreter, frame: Frame) -> tuple[int, float, float]:
        settings = self.settings
        most = DISTRIBUTED_LIMIT if settings.distributed else INLINE_LIMIT
        wanted = int(settings.concurrency(run, frame) or 0)
        count = settings.tolerated_count(run, frame)
        percentage = settings.tolerated_percentage(run, frame)
        if count is None and percentage is None:
            count = 0
        return min(wanted or most, most), -1 if count is None else count, 100 if percentage is None else percentage

    def _begin(self, run: Interpreter, frame: Frame, items: list[Json]) -> State | None:
        limit, count, percentage = self._limits(run, frame)
        if self.settings.distributed:
            run.note(frame, "MapRunStarted", {"mapRunArn": self._run_arn(run, frame)})
        else:
            run.note(frame, "MapStateStarted", {"length": len(items)})
        frame.group = Group(items=items, tolerated=int(count), percentage=percentage, total=len(items))
        if self.settings.batch is not None:
            self._make_batches(run, frame, frame.group)
        group = frame.group
        length = len(group.items or [])
        group.results, group.pending = [None] * length, length
        if not length:
            return self._complete(run, frame, group)
        while group.next < min(limit, length):
            self._start_next(run, frame, group)
        return None

    def _make_batches(self, run: Interpreter, frame: Frame, group: Group) -> None:
        """Each item shaped by the selector, then gathered: an iteration gets a batch of them."""
        shaped = [self._shaped(run, frame, index, item) for index, item in enumerate(group.items or [])]
        group.items = self.settings.batch(run, frame, shaped) if self.settings.batch else shaped

    def _shaped(self, run: Interpreter, frame: Frame, index: int, item: Json) -> Json:
        if self.settings.select is None:
            return item
        frame.item, kept = {"Index": index, "Value": item}, frame.item
        try:
            return self.settings.select(run, frame)
        finally:
            frame.item = kept

    def _start_next(self, run: Interpreter, frame: Frame, group: Group) -> None:
        index, group.next = group.next, group.next + 1
        value = (group.items or [])[index]
        run.look(frame)
        batched = self.settings.batch is not None
        shaped = value if batched else self._shaped(run, frame, index, value)
        child = self.open_child(run, frame, index, shaped, None if batched else {"Index": index, "Value": value})
        if self.settings.distributed:
            child.lane = child.number
            child.events = 1  # its own ExecutionStarted
            child.last = 1
            child.origin = shaped
        else:
            run.note(child, "MapIterationStarted", {"name": self.name, "index": index})
        run.enter(child, self.settings.start)

    def child_ended(self, run: Interpreter, frame: Frame, child: Frame) -> State | None:
        group = self.group_of(frame)
        group.results[child.place] = child.input
        if not self.settings.distributed:
            run.note(child, "MapIterationSucceeded", {"name": self.name, "index": child.place})
            frame.last = child.last
        del run.frames[child.number]
        return self._one_less(run, frame, group)

    def child_failed(self, run: Interpreter, frame: Frame, child: Frame, failure: StateFailure) -> State | None:
        if not self.settings.distributed:
            run.note(child, "MapIterationFailed", {"name": self.name, "index": child.place})
            frame.last = child.last
            return super().child_failed(run, frame, child, failure)
        group = self.group_of(frame)
        group.failed.append(child.place)
        bad = sum(self._weight(group, place) for place in group.failed)
        beyond_count = group.tolerated >= 0 and bad > group.tolerated
        if beyond_count or 100 * bad > group.percentage * group.total:
            run.close(frame)
            outer = StateFailure(THRESHOLD, "The specified tolerated failure threshold was exceeded")
            run.note(frame, "MapRunFailed", {"error": outer.error, "cause": outer.cause})
            raise outer
        del run.frames[child.number]
        return self._one_less(run, frame, group)

    def _weight(self, group: Group, place: int) -> int:
        """How many items an iteration stands for."""
        if self.settings.batch is None:
            return 1
        return len((group.items or [])[place]["Items"])

    def _one_less(self, run: Interpreter, frame: Frame, group: Group) -> State | None:
        group.pending -= 1
        if not group.pending:
            return self._complete(run, frame, group)
        if group.next < len(group.items or []):
            self._start_next(run, frame, group)
        return None

    def _complete(self, run: Interpreter, frame: Frame, group: Group) -> State | None:
        run.look(frame)
        if self.settings.writer is not None:
            return self._ask(run, frame)
        return self._leave(run, frame, self._results(group))

    def _leave(self, run: Interpreter, frame: Frame, result: Json) -> State | None:
        frame.group = None
        run.note(frame, "MapRunSucceeded" if self.settings.distributed else "MapStateSucceeded", {})
        return self.done(run, frame, result)

    def _results(self, group: Group) -> list[Json]:
        failed = set(group.failed)
        return [result for place, result in enumerate(group.results) if place not in failed]

    def _run_id(self, frame: Frame) -> str:
        """Made from the event number of the entry: unique in the execution, the same in every replay."""
        return f"{frame.entered:08d}-{frame.attempt}"

    def _run_arn(self, run: Interpreter, frame: Frame) -> str:
        label = self.settings.label or self.name
        return f"{run.execution_id().replace(':execution:', ':mapRun:')}/{label}:{self._run_id(frame)}"
