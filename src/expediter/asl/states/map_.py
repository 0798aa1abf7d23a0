"""Map: runs the same states for every item, a few at a time. Its result is the array of their outputs.

An iteration of an inline Map is a frame of this execution. An iteration of a distributed Map is a child execution: it
numbers its own events, has its own context, sees no outer variables, and may fail without failing the Map.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from expediter.asl.errors import StateFailure
from expediter.asl.execution import Frame, Group
from expediter.asl.expressions.scope import Scope
from expediter.asl.protocol import Json, ScheduleTask, TaskFailed, TaskSucceeded, TaskTimedOut
from expediter.asl.states.group import GroupState
from expediter.asl.states.interpreter import Interpreter
from expediter.asl.states.retry import ErrorHandlers
from expediter.asl.states.state import Arguments, Finish, Put, State
from expediter.asl.texts import copy_json, json_text

#: AWS runs at most this many inline iterations at once, whatever MaxConcurrency says.
INLINE_LIMIT = 40
#: AWS would run 10,000 child executions at once; here every open one is stored with each step.
DISTRIBUTED_LIMIT = 1_000
THRESHOLD = "States.ExceedToleratedFailureThreshold"

Items: TypeAlias = Callable[[Scope, Frame], list[Json]]
Number: TypeAlias = Callable[[Scope, Frame], float | None]


class ItemReader(NamedTuple):
    """ItemReader: the request to the store, and the parser of its answer. ``most``: MaxItems, 0 for all."""

    resource: str
    arguments: Arguments
    most: Number
    read: Callable[[Json], list[Json]]


class ResultWriter(NamedTuple):
    """ResultWriter: the results go to the store, and the state's result names the place."""

    resource: str
    arguments: Arguments


class MapFields(NamedTuple):
    """The fields of a Map state that do not shape its data."""

    start: str
    distributed: bool
    items: Items
    select: Arguments | None
    concurrency: Number
    tolerated_count: Number
    tolerated_percentage: Number
    batch: Callable[[Scope, Frame, list[Json]], list[Json]] | None = None
    source: ItemReader | None = None
    writer: ResultWriter | None = None
    label: str = ""


class Map(GroupState):
    __slots__ = ("fields",)
    kind = "Map"

    def __init__(
        self,
        name: str,
        target: str | None,
        arguments: Arguments | None,
        finish: Finish | None,
        handlers: ErrorHandlers,
        *,
        put: Put | None,
        fields: MapFields,
    ) -> None:
        super().__init__(name, target, arguments, finish, handlers, put=put)
        self.fields = fields

    def enter(self, run: Interpreter, frame: Frame) -> State | None:
        source = self.fields.source
        if source is None:
            return self._start(run, frame, self.fields.items(run, frame))
        self._limits(run, frame)  # a value that is not a number fails before the store is read
        frame.group = Group(most=int(source.most(run, frame) or 0))
        return self._call_store(run, frame)

    # --- the store: an ItemReader before, a ResultWriter after ------------------------------------------------

    def _call_store(self, run: Interpreter, frame: Frame) -> State | None:
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
        writer, source = self.fields.writer, self.fields.source
        if frame.group.items is not None and writer is not None:
            wanted = {**writer.arguments(run, frame), "Body": json_text(self._results(frame.group))}
            return ScheduleTask(frame.task, self.name, writer.resource, wanted, frame.attempt)
        if source is not None:
            return ScheduleTask(frame.task, self.name, source.resource, source.arguments(run, frame), frame.attempt)
        return None

    def succeeded(self, run: Interpreter, frame: Frame, event: TaskSucceeded) -> State | None:
        frame.task = None
        group = self.group_of(frame)
        if group.items is not None and self.fields.writer is not None:
            wanted = self.fields.writer.arguments(run, frame)
            key = f"{wanted.get('Prefix', '')}/{self._run_id(frame)}/manifest.json".removeprefix("/")
            details = {"Bucket": wanted.get("Bucket"), "Key": key}
            return self._leave(run, frame, {"MapRunArn": self._run_arn(run, frame), "ResultWriterDetails": details})
        items = [] if self.fields.source is None else self.fields.source.read(copy_json(event.output))
        return self._start(run, frame, items[: group.most] if group.most else items)

    def failed(self, run: Interpreter, frame: Frame, event: TaskFailed) -> State | None:
        raise self._store_failure(run, frame, event.cause)

    def timed_out(self, run: Interpreter, frame: Frame, _event: TaskTimedOut) -> State | None:
        raise self._store_failure(run, frame, None)

    def _store_failure(self, run: Interpreter, frame: Frame, cause: str | None) -> StateFailure:
        writing = self.group_of(frame).items is not None
        frame.task = None
        failure = StateFailure("States.ResultWriterFailed" if writing else "States.ItemReaderFailed", cause)
        if writing:
            run.record(frame, "MapRunFailed", {"error": failure.error, "cause": cause})
        return failure

    # --- iterations -------------------------------------------------------------------------------------------

    def _limits(self, run: Interpreter, frame: Frame) -> tuple[int, float, float]:
        fields = self.fields
        most = DISTRIBUTED_LIMIT if fields.distributed else INLINE_LIMIT
        wanted = int(fields.concurrency(run, frame) or 0)
        count = fields.tolerated_count(run, frame)
        percentage = fields.tolerated_percentage(run, frame)
        if count is None and percentage is None:
            count = 0
        return min(wanted or most, most), -1 if count is None else count, 100 if percentage is None else percentage

    def _start(self, run: Interpreter, frame: Frame, items: list[Json]) -> State | None:
        limit, count, percentage = self._limits(run, frame)
        if self.fields.distributed:
            run.record(frame, "MapRunStarted", {"mapRunArn": self._run_arn(run, frame)})
        else:
            run.record(frame, "MapStateStarted", {"length": len(items)})
        frame.group = Group(items=items, tolerated=int(count), percentage=percentage, total=len(items))
        if self.fields.batch is not None:
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
        """Shape each item with ItemSelector, then group the items: each iteration gets one batch."""
        shaped = [self._shaped(run, frame, index, item) for index, item in enumerate(group.items or [])]
        group.items = self.fields.batch(run, frame, shaped) if self.fields.batch else shaped

    def _shaped(self, run: Interpreter, frame: Frame, index: int, item: Json) -> Json:
        if self.fields.select is None:
            return item
        frame.item, kept = {"Index": index, "Value": item}, frame.item
        try:
            return self.fields.select(run, frame)
        finally:
            frame.item = kept

    def _start_next(self, run: Interpreter, frame: Frame, group: Group) -> None:
        index, group.next = group.next, group.next + 1
        value = (group.items or [])[index]
        batched = self.fields.batch is not None
        shaped = value if batched else self._shaped(run, frame, index, value)
        child = self.open_child(run, frame, index, shaped, None if batched else {"Index": index, "Value": value})
        if self.fields.distributed:
            child.child_execution = child.number
            child.events = 1  # its own ExecutionStarted
            child.last = 1
            child.origin = shaped
        else:
            run.record(child, "MapIterationStarted", {"name": self.name, "index": index})
        run.enter(child, self.fields.start)

    def child_ended(self, run: Interpreter, frame: Frame, child: Frame) -> State | None:
        group = self.group_of(frame)
        group.results[child.index] = child.input
        if not self.fields.distributed:
            run.record(child, "MapIterationSucceeded", {"name": self.name, "index": child.index})
            frame.last = child.last
        del run.frames[child.number]
        return self._child_done(run, frame, group)

    def child_failed(self, run: Interpreter, frame: Frame, child: Frame, failure: StateFailure) -> State | None:
        if not self.fields.distributed:
            run.record(child, "MapIterationFailed", {"name": self.name, "index": child.index})
            frame.last = child.last
            return super().child_failed(run, frame, child, failure)
        group = self.group_of(frame)
        group.failed.append(child.index)
        bad = sum(self._weight(group, place) for place in group.failed)
        beyond_count = group.tolerated >= 0 and bad > group.tolerated
        if beyond_count or 100 * bad > group.percentage * group.total:
            outer = StateFailure(THRESHOLD, "The specified tolerated failure threshold was exceeded")
            run.record(frame, "MapRunFailed", {"error": outer.error, "cause": outer.cause})
            raise outer
        del run.frames[child.number]
        return self._child_done(run, frame, group)

    def _weight(self, group: Group, index: int) -> int:
        """The number of items in an iteration."""
        if self.fields.batch is None:
            return 1
        return len((group.items or [])[index]["Items"])

    def _child_done(self, run: Interpreter, frame: Frame, group: Group) -> State | None:
        group.pending -= 1
        if not group.pending:
            return self._complete(run, frame, group)
        if group.next < len(group.items or []):
            self._start_next(run, frame, group)
        return None

    def _complete(self, run: Interpreter, frame: Frame, group: Group) -> State | None:
        if self.fields.writer is not None:
            return self._call_store(run, frame)
        return self._leave(run, frame, self._results(group))

    def _leave(self, run: Interpreter, frame: Frame, result: Json) -> State | None:
        frame.group = None
        run.record(frame, "MapRunSucceeded" if self.fields.distributed else "MapStateSucceeded", {})
        return self.done(run, frame, result)

    def _results(self, group: Group) -> list[Json]:
        failed = set(group.failed)
        return [result for place, result in enumerate(group.results) if place not in failed]

    def _run_id(self, frame: Frame) -> str:
        """Derived from the event id of the entry: unique in the execution, and equal in every replay."""
        return f"{frame.entered:08d}-{frame.attempt}"

    def _run_arn(self, run: Interpreter, frame: Frame) -> str:
        label = self.fields.label or self.name
        return f"{run.execution_id().replace(':execution:', ':mapRun:')}/{label}:{self._run_id(frame)}"
