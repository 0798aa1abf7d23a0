"""The working copy of an execution while events are taken in: the only place where anything changes.

A Run is also the scope of paths and expressions (``context``, ``variable``, ``draw``), seen from ``frame``.
"""

import hashlib

import msgspec

from expediter.asl.errors import PathMissing
from expediter.asl.execution import Execution, Frame
from expediter.asl.expressions.scope import Draw
from expediter.asl.history import HistoryEvent
from expediter.asl.machine import Machine
from expediter.asl.protocol import Command, End, Json, ScheduleTask, StartTimer
from expediter.asl.texts import decode, instant_text

#: AWS ends an execution that would write more history events than this.
EVENT_LIMIT = 25_000


class Run:
    """Mutable; lives for one call of ``advance``, or for the row of steps that ``Steps`` takes."""

    __slots__ = (
        "at",
        "changed",
        "commands",
        "draws",
        "events",
        "execution",
        "frame",
        "frames",
        "history",
        "lane",
        "machine",
        "main_events",
        "numbers",
        "over",
        "ready",
        "seed",
        "sink",
        "states",
        "stored",
    )

    def __init__(self, machine: Machine, execution: Execution, history: list[HistoryEvent] | None = None) -> None:
        self.machine = machine
        self.states = machine.states
        self.execution = execution
        self.at = self.seed = self.draws = 0
        self.commands: list[Command] = []
        #: History events counted are those of the child execution ``lane`` (0: this execution itself).
        self.lane = 0
        self.main_events = execution.events
        self.sink = history
        self.history = history
        self.events = execution.events
        self.numbers = execution.numbers
        #: The frames as the execution holds them, never altered, and as they are now.
        self.stored = execution.frames
        self.frames = execution.frames.copy()
        self.changed = False
        #: Frames that can go on, each with the name of the state it enters next.
        self.ready: list[tuple[Frame, str]] = []
        #: The line that has just yielded its output.
        self.over: Frame | None = None
        #: The line that is seen and counted from: one of ``frames`` that is to be altered, or none.
        self.frame: Frame = NOWHERE

    # --- frames -----------------------------------------------------------------------------------------------

    def asking(self, task: int) -> Frame | None:
        """The line that waits for this task, to be altered: as a rule the one that was looked at last."""
        if self.frame.task == task:
            return self.frame
        for frame in self.frames.values():
            if frame.task == task:
                return self.own(frame)
        return None

    def own(self, frame: Frame) -> Frame:
        """The frame to alter: a copy, unless it was made or copied in this run."""
        if frame is self.stored.get(frame.number):
            frame = self.frames[frame.number] = msgspec.structs.replace(frame)
            if frame.group is not None:
                group = frame.group
                frame.group = msgspec.structs.replace(group, results=group.results.copy(), failed=group.failed.copy())
            self.changed = True
        return frame

    def open(self, frame: Frame) -> Frame:
        """Take in a new frame."""
        self.frames[frame.number] = frame
        self.changed = True
        return frame

    def enter(self, frame: Frame, state: str) -> None:
        """Let this frame enter a state, by its name, once the event at hand is dealt with."""
        self.ready.append((frame, state))

    def close(self, frame: Frame) -> None:
        """Drop every line inside this one: what they wait for no longer counts."""
        doomed = {frame.number}
        for number in sorted(self.frames):  # a line has a larger number than the one around it
            if self.frames[number].parent in doomed:
                doomed.add(number)
        for number in doomed - {frame.number}:
            self.withdraw(self.frames.pop(number))
        self.ready = [waiting for waiting in self.ready if waiting[0].number in self.frames]
        frame.task, frame.group = None, None

    def withdraw(self, frame: Frame) -> None:
        """Unsay what this line asked for in this very step."""
        dropped = {frame.task, frame.timer} - {None}
        if dropped:
            self.commands = [command for command in self.commands if _number(command) not in dropped]

    def look(self, frame: Frame) -> None:
        """See and count from this line: its variables, its context, the event numbers of its execution."""
        self.frame = frame
        if frame.lane != self.lane:
            self._count_in(frame.lane)

    def _count_in(self, lane: int) -> None:
        if self.lane == 0:
            self.main_events = self.events
        elif self.lane in self.frames:
            self.own(self.frames[self.lane]).events = self.events
        self.lane = lane
        self.events = self.frames[lane].events if lane else self.main_events
        self.history = None if lane else self.sink

    def number(self) -> int:
        """The next task, timer or frame number of this execution, from 1."""
        self.numbers += 1
        return self.numbers

    # --- what is written down ---------------------------------------------------------------------------------

    def note(self, frame: Frame, kind: str, details: dict[str, Json]) -> None:
        """Count a history event of this line, and write it if anyone reads."""
        self.events += 1
        if self.history is not None:
            self.history.append(HistoryEvent(self.events, frame.last, self.at, kind, details))
        frame.last = self.events

    def ended(self, frame: Frame) -> None:
        """The line is at its end, with its output as its input."""
        self.over = frame

    def start_timer(self, frame: Frame, due: int) -> None:
        frame.timer = self.number()
        frame.due = due
        self.commands.append(StartTimer(frame.timer, due))

    def end(self, status: str, output: Json = None, error: str | None = None, cause: str | None = None) -> None:
        """The execution is over; whatever else was under way no longer counts."""
        base, root = self.execution, self.frames.get(0)
        self.frames = {}
        self.frame = NOWHERE
        self.changed = True
        self.ready.clear()
        self.over = None
        self.commands = [End(status, output, error, cause)]
        self.execution = Execution(
            status, started_at=base.started_at, output=output, error=error, cause=cause, events=self.events
        )
        if status != "SUCCEEDED":
            # What going on from here would need: a number is never given twice, so late answers stay late.
            kept = {0: Frame(last=self.events, variables=root.variables if root else {})}
            self.execution = msgspec.structs.replace(
                self.execution, frames=kept, numbers=self.numbers, context=base.context, input=base.input
            )

    def freeze(self) -> Execution:
        """The execution as it stands now; no further event may be taken in."""
        if self.lane:
            self._count_in(0)
        base = self.execution
        if base.status != "RUNNING":
            return base
        return Execution(
            "RUNNING",
            self.frames,
            self.events,
            self.numbers,
            base.started_at,
            base.context,
            base.input,
            base.deadline,
            base.due,
        )

    # --- the scope --------------------------------------------------------------------------------------------

    def context(self) -> dict[str, Json]:
        """The context object as this line sees it (``$$``, ``$states.context``)."""
        execution, frame = self.execution, self.frame
        found: dict[str, Json] = decode(execution.context)
        found["Execution"] = self._execution()
        found["State"] = {"Name": frame.state, "EnteredTime": instant_text(frame.entered_at)}
        state = self.states[frame.state]
        if state.works:
            found["State"]["RetryCount"] = frame.attempt
        found.update(state.context(self, frame))
        if (item := self._item(frame)) is not None:
            found["Map"] = {"Item": item}
        return found

    def execution_id(self) -> str:
        """The ARN that the context object gives the execution; empty where it gives none."""
        found: str = decode(self.execution.context).get("Execution", {}).get("Id", "")
        return found

    def _execution(self) -> dict[str, Json]:
        execution = self.execution
        found: dict[str, Json] = {"StartTime": instant_text(execution.started_at)}
        found.update(decode(execution.context).get("Execution", {}))
        found["Input"] = execution.input
        if self.frame.lane:
            child = self.frames[self.frame.lane]
            found["Input"] = child.origin
            found["Name"] = f"{found.get('Name', '')}-{child.number}"
            found["Id"] = f"{found.get('Id', '')}-{child.number}"
        return found

    def _item(self, frame: Frame) -> Json:
        """The nearest enclosing Map iteration, if any."""
        while frame.item is None and frame.parent is not None:
            frame = self.frames[frame.parent]
        return frame.item

    def variable(self, name: str) -> Json:
        """A variable of this line or of one around it."""
        frame = self.frame
        while name not in frame.variables:
            if frame.parent is None or frame.lane == frame.number:
                raise PathMissing(f"The variable '{name}' is not set")
            frame = self.frames[frame.parent]
        return frame.variables[name]

    def variables(self) -> dict[str, Json]:
        """All variables this line can see, the inner ones hiding the outer."""
        frame = self.frame
        found = frame.variables
        while frame.parent is not None and frame.lane != frame.number:
            frame = self.frames[frame.parent]
            found = {**frame.variables, **found}
        return found

    def draw(self) -> Draw:
        return Draw(self._fraction, self._uuid)

    def digest(self, salt: str) -> bytes:
        """Bytes that follow from the event's seed, the place in the execution, and how often this was asked."""
        self.draws += 1
        frame = self.frame
        place = f"{self.seed}:{frame.number}:{frame.entered}:{frame.attempt}:{self.draws}:{salt}"
        return hashlib.sha256(place.encode()).digest()

    def _fraction(self, salt: str) -> float:
        if salt:  # a seed of the author's own: the same number every time
            return int.from_bytes(hashlib.sha256(salt.encode()).digest()[:7]) / 2**56
        return int.from_bytes(self.digest("")[:7]) / 2**56

    def _uuid(self) -> str:
        number = int.from_bytes(self.digest("uuid")[:16])
        number = number & ~(0xF000 << 64) | (4 << 76)  # version 4
        number = number & ~(0xC000 << 48) | (2 << 62)  # variant 1
        text = f"{number:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _number(command: Command) -> int | None:
    """Tasks and timers share one row of numbers."""
    if isinstance(command, ScheduleTask):
        return command.task
    return command.timer if isinstance(command, StartTimer) else None


NOWHERE = Frame()
