"""Map: runs the same states for every item, a few at a time. Its result is the array of their outputs.

An iteration of an inline Map is a frame of this execution. An iteration of a distributed Map is a child execution: it
numbers its own events, has its own context, sees no outer variables, and may fail without failing the Map.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from expediter.asl.errors import StateFailure, runtime_failure
from expediter.asl.execution import Frame, Group
from expediter.asl.expressions.scope import Scope
from expediter.asl.protocol import Json, ScheduleTask, TaskFailed, TaskSucceeded, TaskTimedOut
from expediter.asl.states.datasets.reading import ItemReader, add_items, item_of
from expediter.asl.states.datasets.results import ResultWriter, ended, started
from expediter.asl.states.group import GroupState
from expediter.asl.states.interpreter import Interpreter
from expediter.asl.states.retry import ErrorHandlers
from expediter.asl.states.state import Arguments, Finish, Put, State
from expediter.asl.texts import copy_json, instant_text

#: AWS runs at most this many inline iterations at once, whatever MaxConcurrency says.
INLINE_LIMIT = 40
#: AWS would run 10,000 child executions at once; here every open one is stored with each step.
DISTRIBUTED_LIMIT = 1_000
ONLY_DISTRIBUTED = "The ItemReader, ItemBatcher and ResultWriter fields are not supported for INLINE maps"
THRESHOLD = "States.ExceedToleratedFailureThreshold"

#: An array, or an object whose entries are the items.
Items: TypeAlias = Callable[[Scope, Frame], Json]
Number: TypeAlias = Callable[[Scope, Frame], float | None]


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
        fields = self.fields
        if not fields.distributed and (fields.source or fields.batch or fields.writer):
            raise runtime_failure(ONLY_DISTRIBUTED)
        if fields.source is None:
            group = Group()
            add_items(group, fields.items(run, frame))
            return self._start(run, frame, group)
        self._limits(run, frame)  # a value that is not a number fails before the store is read
        frame.group = Group(most=int(fields.source.most(run, frame) or 0))
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
        resource, wanted = self._wanted(run, frame, frame.group)
        return ScheduleTask(frame.task, self.name, resource, wanted, frame.attempt)

    def _wanted(self, run: Interpreter, frame: Frame, group: Group) -> tuple[str, Json]:
        """The Resource and the input of the task that the frame waits for."""
        source, writer = self.fields.source, self.fields.writer
        if source is not None and group.items is None:
            return source.request(run, frame, group)
        if writer is None:
            raise ValueError(f"{self.name} asks nothing of a store")
        asked, files = self._files(run, frame, group, writer)
        key, body = files[group.written]
        rest = {name: value for name, value in asked.items() if name != "Prefix"}
        return writer.resource, {**rest, "Key": key, "Body": body}

    def _files(
        self, run: Interpreter, frame: Frame, group: Group, writer: ResultWriter
    ) -> tuple[dict[str, Json], list[tuple[str, str]]]:
        """What ResultWriter asks for, and the files that it writes."""
        given = writer.arguments(run, frame)
        asked = given if isinstance(given, dict) else {}
        place = f"{asked.get('Prefix', '')}/{self._run_id(frame)}/".removeprefix("/")
        return asked, writer.files(group, place, asked.get("Bucket"), self._run_arn(run, frame))

    def succeeded(self, run: Interpreter, frame: Frame, event: TaskSucceeded) -> State | None:
        frame.task = None
        group = self.group_of(frame)
        source = self.fields.source
        if source is not None and group.items is None:
            if source.take(run, frame, group, copy_json(event.output)):
                return self._start(run, frame, group)
            return self._call_store(run, frame)
        return self._written(run, frame, group)

    def _written(self, run: Interpreter, frame: Frame, group: Group) -> State | None:
        """One more file of the results is in the store. After the last one, the manifest, the state's result says where
        the manifest is.
        """
        if self.fields.writer is None:
            raise ValueError(f"{self.name} writes nothing to a store")
        asked, files = self._files(run, frame, group, self.fields.writer)
        group.written += 1
        if group.written < len(files):
            return self._call_store(run, frame)
        details = {"Bucket": asked.get("Bucket"), "Key": files[-1][0]}
        return self._leave(run, frame, {"MapRunArn": self._run_arn(run, frame), "ResultWriterDetails": details})

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

    def _start(self, run: Interpreter, frame: Frame, group: Group) -> State | None:
        """Begin with the items that were found."""
        limit, count, percentage = self._limits(run, frame)
        group.items, group.found = group.found, []
        group.tolerated, group.percentage, group.total = int(count), percentage, len(group.items)
        if self.fields.distributed:
            run.record(frame, "MapRunStarted", {"mapRunArn": self._run_arn(run, frame)})
        else:
            run.record(frame, "MapStateStarted", {"length": group.total})
        frame.group = group
        if self.fields.batch is not None:
            shaped = [self.shaped(run, frame, item_of(group, *item)) for item in enumerate(group.items)]
            group.items = self.fields.batch(run, frame, shaped)
        length = len(group.items)
        group.results, group.pending = [None] * length, length
        if self.fields.writer is not None:
            group.records = [None] * length
        if not length:
            return self._complete(run, frame, group)
        while group.next < min(limit, length):
            self._start_next(run, frame, group)
        return None

    def shaped(self, run: Interpreter, frame: Frame, item: dict[str, Json]) -> Json:
        """The input of an iteration: the item, or what ItemSelector makes of it."""
        if self.fields.select is None:
            return {"Key": item["Key"], "Value": item["Value"]} if "Key" in item else item["Value"]
        frame.item, kept = item, frame.item
        try:
            return self.fields.select(run, frame)
        finally:
            frame.item = kept

    def _start_next(self, run: Interpreter, frame: Frame, group: Group) -> None:
        index, group.next = group.next, group.next + 1
        value = (group.items or [])[index]
        item = None if self.fields.batch is not None else item_of(group, index, value)
        shaped = value if item is None else self.shaped(run, frame, item)
        child = self.open_child(run, frame, index, shaped, item)
        if self.fields.distributed:
            child.child_execution = child.number
            child.events = 1  # its own ExecutionStarted
            child.last = 1
            child.origin = shaped
        else:
            run.record(child, "MapIterationStarted", {"name": self.name, "index": index})
        if group.records:
            name = f"{run.execution_id()}-{child.number}"
            group.records[index] = started(name, self.fields.label or self.name, shaped, instant_text(run.at))
        run.enter(child, self.fields.start)

    def child_ended(self, run: Interpreter, frame: Frame, child: Frame) -> State | None:
        group = self.group_of(frame)
        group.results[child.index] = child.input
        self._note_end(run, group, child, None)
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
        self._note_end(run, group, child, failure)
        bad = sum(self._weight(group, place) for place in group.failed)
        beyond_count = group.tolerated >= 0 and bad > group.tolerated
        if beyond_count or 100 * bad > group.percentage * group.total:
            outer = StateFailure(THRESHOLD, "The specified tolerated failure threshold was exceeded")
            run.record(frame, "MapRunFailed", {"error": outer.error, "cause": outer.cause})
            raise outer
        del run.frames[child.number]
        return self._child_done(run, frame, group)

    def _note_end(self, run: Interpreter, group: Group, child: Frame, failure: StateFailure | None) -> None:
        if group.records:
            record = group.records[child.index]
            group.records[child.index] = ended(record, instant_text(run.at), child.input, failure)

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
        writer = self.fields.writer
        if writer is None:
            return self._leave(run, frame, self._results(group))
        if writer.resource:
            return self._call_store(run, frame)
        if not writer.transformation:
            raise runtime_failure("The ResultWriter field cannot be empty.")
        return self._leave(run, frame, writer.result(group))

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
