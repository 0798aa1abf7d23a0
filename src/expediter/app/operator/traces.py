"""The trace of an order, made from what is stored of it: one span for the order, and below it the accept, the wait on
the queue, each state of its workflow with its calls, and the mails.

Every id follows from the order's id, so each process makes the same trace.
"""

import hashlib
import uuid
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from expediter.app.tasks.order import TASKS
from expediter.asl import (
    AnyEvent,
    Command,
    HistoryEvent,
    Machine,
    ScheduleTask,
    Started,
    TaskFailed,
    TaskSucceeded,
    TaskTimedOut,
    advance,
    new_execution,
)

#: Tasks that make no call. The span of their state is enough.
_INSIDE = frozenset(name for name, task in TASKS.items() if task.request is None)
#: States without a span: they take no time, and the next state shows what they chose.
_PASSED = frozenset({"Choice", "Pass", "Succeed"})


class Span(msgspec.Struct, frozen=True):
    """A span. Ids in hexadecimal (``parent`` None: the root), times in milliseconds since 1970 UTC.

    ``kind``: internal, producer, consumer or client. ``error``: the name of the error that it ended in.
    """

    id: str
    parent: str | None
    name: str
    kind: str
    start: int
    end: int
    attributes: dict[str, str | int]
    error: str | None = None


class Sent(NamedTuple):
    """A mail about this (a status or an alert), posted and sent (None: not yet) at these times."""

    about: str
    at: int
    sent_at: int | None


def trace_id(order_id: str) -> str | None:
    """The trace id: the order's id without its dashes (https://www.w3.org/TR/trace-context/#trace-id).

    None when that is no valid trace id: the id is not a UUID, or it is all zeros.
    """
    try:
        number = uuid.UUID(order_id)
    except ValueError:
        return None
    return number.hex if number.int else None


def traceparent(trace: str, task: int, *, sampled: bool) -> str:
    """The W3C header for a call of this task: its span in the order's trace."""
    return f"00-{trace}-{span_id(trace, f'task/{task}')}-{'01' if sampled else '00'}"


def order_trace(
    trace: str, machine: Machine, events: Iterable[AnyEvent], mails: Iterable[Sent], now: int, *, status: str
) -> list[Span]:
    """The spans of an order whose workflow has ended, the root first. ``events``: what its execution was fed.
    ``status``: the order's own.

    A mail that is not sent yet ends ``now``, in an error.
    """
    started, *others = events
    told = _Telling(trace, started)
    for event in (started, *others):
        told.take(machine, event)
    for number, mail in enumerate(mails):
        told.mail(number, mail, now)
    return told.spans(status)


class _State:
    """A state while its history is read. ``around``: the Parallel or Map state that it is in."""

    __slots__ = ("around", "end", "id", "kind", "name", "start")

    def __init__(self, event: HistoryEvent, around: "_State | None") -> None:
        self.id = event.id
        self.name: str = event.details["name"]
        self.kind = event.type.removesuffix("StateEntered")
        self.start = event.at
        self.end: int | None = None
        self.around = around


class _Call(NamedTuple):
    """A call under way, in the span of its state."""

    task: ScheduleTask
    parent: str
    start: int


class _Telling:
    """Goes through an execution's events once, as the workflow core did."""

    def __init__(self, trace: str, started: AnyEvent) -> None:
        """``started`` begins the workflow with the order as it was accepted."""
        self._trace = trace
        self._execution = new_execution()
        self._states: list[_State] = []
        self._state_of: dict[int, _State | None] = {}
        self._calls: dict[int, _Call] = {}
        self._start: int = started.input["order"]["created_at"] if isinstance(started, Started) else started.at
        self._end = started.at
        self._root = self._id("order")
        self._found = [
            Span(self._id("accept"), self._root, "accept", "producer", self._start, self._start, {}),
            Span(self._id("queue"), self._root, "queue", "consumer", self._start, self._end, {}),
        ]

    def take(self, machine: Machine, event: AnyEvent) -> None:
        history: list[HistoryEvent] = []
        self._execution, commands = advance(machine, self._execution, event, history)
        self._end = event.at
        scheduled = [state for noted in history if (state := self._note(noted)) is not None]
        self._answered(event)
        self._asked(commands, scheduled, event.at)

    def mail(self, number: int, mail: Sent, now: int) -> None:
        end, error = (now, "NotSentYet") if mail.sent_at is None else (mail.sent_at, None)
        about: dict[str, str | int] = {"expediter.mail": mail.about}
        self._found.append(Span(self._id(f"mail/{number}"), self._root, "mail", "producer", mail.at, end, about, error))

    def spans(self, status: str) -> list[Span]:
        """All of them; what was under way when the workflow ended ends with it."""
        for call in self._calls.values():
            self._call(call, self._end, None)
        ended, states = self._execution, [self._state(it) for it in self._states if it.kind not in _PASSED]
        error = None if ended.status == "SUCCEEDED" else ended.error or ended.status
        about: dict[str, str | int] = {"expediter.status": status, "expediter.workflow": ended.status}
        last = max(self._end, *(span.end for span in self._found))
        return [Span(self._root, None, "order", "internal", self._start, last, about, error), *self._found, *states]

    # ── states ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _note(self, event: HistoryEvent) -> _State | None:
        """Follows the states; gives the state whose task was scheduled."""
        here = self._state_of.get(event.previous)
        if event.type.endswith("StateEntered"):
            here = _State(event, here if here is None or here.end is None else here.around)
            self._states.append(here)
        elif event.type.endswith("StateExited"):
            while here is not None and here.name != event.details["name"]:
                here = here.around
            if here is not None:
                here.end = event.at
        self._state_of[event.id] = here
        return here if event.type.endswith("Scheduled") else None

    def _state(self, state: _State) -> Span:
        end = self._end if state.end is None else state.end
        error = "States.Failed" if state.kind == "Fail" else None
        return Span(self._of(state), self._of(state.around), state.name, "internal", state.start, end, {}, error)

    # ── calls ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _asked(self, commands: tuple[Command, ...], scheduled: list[_State], at: int) -> None:
        for command in commands:
            if isinstance(command, ScheduleTask) and command.resource not in _INSIDE:
                state = next((it for it in scheduled if it.name == command.state), None)
                if state is not None:
                    scheduled.remove(state)
                self._calls[command.task] = _Call(command, self._of(state), at)

    def _answered(self, event: AnyEvent) -> None:
        if isinstance(event, TaskSucceeded | TaskFailed | TaskTimedOut) and event.task in self._calls:
            error = None
            if not isinstance(event, TaskSucceeded):
                error = (event.error if isinstance(event, TaskFailed) else None) or "States.Timeout"
            self._call(self._calls.pop(event.task), event.at, error)

    def _call(self, call: _Call, end: int, error: str | None) -> None:
        task = call.task
        about: dict[str, str | int] = {"expediter.task": task.resource, "expediter.attempt": task.attempt}
        number, name = self._id(f"task/{task.task}"), f"call {task.resource.rpartition(':')[2]}"
        self._found.append(Span(number, call.parent, name, "client", call.start, end, about, error))

    # ── ids ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _of(self, state: _State | None) -> str:
        return self._root if state is None else self._id(f"state/{state.id}")

    def _id(self, what: str) -> str:
        return span_id(self._trace, what)


def span_id(trace: str, what: str) -> str:
    """A span's id: eight bytes that follow from its trace and its place in it."""
    return hashlib.sha256(f"{trace}/{what}".encode()).hexdigest()[:16]
