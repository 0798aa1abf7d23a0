"""The working copy of an execution while events are taken in. Nothing else is ever altered.

A Run is the interpreter that states see (``states.interpreter``) and the scope that expressions see
(``expressions.scope``). As in a debugger, one frame is selected: variables, context and event numbers are its own.
"""

from collections.abc import Callable

import msgspec

from expediter.asl.errors import PathMissing
from expediter.asl.execution import Execution, Frame
from expediter.asl.expressions.scope import Draw
from expediter.asl.history import HistoryEvent
from expediter.asl.machine import Machine
from expediter.asl.protocol import Command, End, Json, ScheduleTask, StartTimer
from expediter.asl.texts import decode, instant_text, sha256

#: AWS ends an execution that would write more history events than this.
EVENT_LIMIT = 25_000


def no_pause() -> None:
    """The execution is not interrupted."""


class Run:
    """Mutable. It lives for one call of ``advance``, or for all events that one ``Steps`` takes."""

    __slots__ = (
        "at",
        "changed",
        "child_execution",
        "commands",
        "draws",
        "ended",
        "events",
        "execution",
        "frame",
        "frames",
        "history",
        "machine",
        "main_events",
        "numbers",
        "pause",
        "ready",
        "seed",
        "sink",
        "spent",
        "states",
    )

    def __init__(
        self,
        machine: Machine,
        execution: Execution,
        history: list[HistoryEvent] | None = None,
        pause: Callable[[], None] = no_pause,
    ) -> None:
        self.pause = pause
        self.machine = machine
        self.states = machine.states
        self.execution = execution
        self.at = self.seed = self.draws = self.spent = 0
        self.commands: list[Command] = []
        #: The child execution whose history events are counted now (0: this execution itself).
        self.child_execution = 0
        self.main_events = execution.events
        self.sink = history
        self.history = history
        self.events = execution.events
        self.numbers = execution.numbers
        #: The frames as they are now. Those that ``execution`` holds are never altered.
        self.frames = execution.frames.copy()
        self.changed = False
        #: Frames that can go on, each with the name of the state it enters next.
        self.ready: list[tuple[Frame, str]] = []
        #: The frame that has just ended. Its output is in ``frame.input``.
        self.ended: Frame | None = None
        #: The selected frame: one of ``frames`` that may be altered, or none.
        self.frame: Frame = NOWHERE

    # --- frames -----------------------------------------------------------------------------------------------

    def waiting_for(self, task: int) -> Frame | None:
        """The frame that waits for this task, selected and ready to be altered."""
        for found in self.frames.values():
            if found.task == task:
                frame = self.own(found)
                self.select(frame)
                return frame
        return None

    def own(self, frame: Frame) -> Frame:
        """The frame to alter (copy-on-write): a copy, unless this run made or copied it before."""
        if frame is self.execution.frames.get(frame.number):
            frame = self.frames[frame.number] = msgspec.structs.replace(frame)
            if frame.group is not None:
                group = frame.group
                frame.group = msgspec.structs.replace(
                    group, results=group.results.copy(), failed=group.failed.copy(), records=group.records.copy()
                )
            self.changed = True
        return frame

    def add_frame(self, frame: Frame) -> Frame:
        """Add a new frame to the execution."""
        self.frames[frame.number] = frame
        self.changed = True
        return frame

    def enter(self, frame: Frame, state: str) -> None:
        """Queue this frame to enter a state, given by its name."""
        self.ready.append((frame, state))

    def close_children(self, frame: Frame) -> None:
        """Remove all frames inside this one. Answers to what they waited for change nothing any more."""
        removed = {frame.number}
        for number in sorted(self.frames):  # a frame has a larger number than its parent
            if self.frames[number].parent in removed:
                removed.add(number)
        for number in removed - {frame.number}:
            self._remove_commands(self.frames.pop(number))
        self.ready = [waiting for waiting in self.ready if waiting[0].number in self.frames]
        frame.group = None

    def _remove_commands(self, frame: Frame) -> None:
        """Remove the commands that this frame emitted in this step."""
        numbers = {frame.task, frame.timer} - {None}
        if numbers:
            self.commands = [command for command in self.commands if _number(command) not in numbers]

    def select(self, frame: Frame) -> None:
        """Select the frame whose variables and context expressions see and whose history events are counted."""
        self.frame = frame
        if frame.child_execution != self.child_execution:
            self._switch_history(frame.child_execution)

    def _switch_history(self, child_execution: int) -> None:
        if self.child_execution == 0:
            self.main_events = self.events
        elif self.child_execution in self.frames:
            self.own(self.frames[self.child_execution]).events = self.events
        self.child_execution = child_execution
        self.events = self.frames[child_execution].events if child_execution else self.main_events
        self.history = None if child_execution else self.sink

    def number(self) -> int:
        """The next task, timer or frame number of this execution, from 1."""
        self.numbers += 1
        return self.numbers

    # --- what is written down ---------------------------------------------------------------------------------

    def record(self, frame: Frame, kind: str, details: dict[str, Json]) -> None:
        """Count a history event of this frame, and append it to ``history`` if that is kept."""
        self.events += 1
        if self.history is not None:
            self.history.append(HistoryEvent(self.events, frame.last, self.at, kind, details))
        frame.last = self.events

    def start_timer(self, frame: Frame, due: int) -> None:
        self.numbers = frame.timer = number = self.numbers + 1
        frame.due = due
        self.commands.append(StartTimer(number, due))

    def end(self, status: str, output: Json = None, error: str | None = None, cause: str | None = None) -> None:
        """The execution has ended. Its frames are removed."""
        base, root = self.execution, self.frames.get(0)
        self.frames = {}
        self.frame = NOWHERE
        self.changed = True
        self.ready.clear()
        self.ended = None
        self.commands = [End(status, output, error, cause)]
        self.execution = Execution(
            status, started_at=base.started_at, output=output, error=error, cause=cause, events=self.events
        )
        if status != "SUCCEEDED":
            # What a Redriven event needs. Numbers continue, so a late answer does not fit a new task.
            kept = {0: Frame(last=self.events, variables=root.variables if root else {})}
            self.execution = msgspec.structs.replace(
                self.execution, frames=kept, numbers=self.numbers, context=base.context, input=base.input
            )

    def freeze(self) -> Execution:
        """The execution as it is now. The run takes in no event after this."""
        if self.child_execution:
            self._switch_history(0)
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
        """The context object as the selected frame sees it (``$$``, ``$states.context``)."""
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
        if self.frame.child_execution:
            child = self.frames[self.frame.child_execution]
            found["Input"] = child.origin
            found["Name"] = f"{found.get('Name', '')}-{child.number}"
            found["Id"] = f"{found.get('Id', '')}-{child.number}"
        return found

    def _item(self, frame: Frame) -> Json:
        """The item of the nearest Map iteration around the frame, if there is one."""
        while frame.item is None and frame.parent is not None:
            frame = self.frames[frame.parent]
        return frame.item

    def variable(self, name: str) -> Json:
        """A variable of the selected frame or of one around it."""
        frame = self.frame
        while name not in frame.variables:
            if frame.parent is None or frame.child_execution == frame.number:
                raise PathMissing(f"The variable '{name}' is not set")
            frame = self.frames[frame.parent]
        return frame.variables[name]

    def variables(self) -> dict[str, Json]:
        """All variables that the selected frame sees; an inner one hides an outer one of the same name."""
        frame = self.frame
        found = frame.variables
        while frame.parent is not None and frame.child_execution != frame.number:
            frame = self.frames[frame.parent]
            found = {**frame.variables, **found}
        return found

    def draw(self) -> Draw:
        return Draw(self._fraction, self._uuid)

    def digest(self, salt: str) -> bytes:
        """Bytes derived from the event's seed, the place in the execution and the number of calls so far."""
        self.draws += 1
        frame = self.frame
        place = f"{self.seed}:{frame.number}:{frame.entered}:{frame.attempt}:{self.draws}:{salt}"
        return sha256(place)

    def _fraction(self, salt: str) -> float:
        if salt:  # the author's own seed: the same number every time
            return int.from_bytes(sha256(salt)[:7]) / 2**56
        return int.from_bytes(self.digest("")[:7]) / 2**56

    def _uuid(self) -> str:
        number = int.from_bytes(self.digest("uuid")[:16])
        number = number & ~(0xF000 << 64) | (4 << 76)  # version 4
        number = number & ~(0xC000 << 48) | (2 << 62)  # variant 1
        text = f"{number:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _number(command: Command) -> int | None:
    """The number of a task or timer: both are numbered from one sequence."""
    if isinstance(command, ScheduleTask):
        return command.task
    return command.timer if isinstance(command, StartTimer) else None


NOWHERE = Frame()
