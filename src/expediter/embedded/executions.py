"""Executions as they are stored: the value of the state machine, the events it was fed, and when it is due."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from expediter.asl import Execution, Machine, parse
from expediter.asl.protocol import AnyEvent, Command, Json, StartTimer
from expediter.embedded.database import Session, Statements

#: due_at of an execution that waits for no timer but has not ended: after the year 9999, in milliseconds.
NEVER = 253_402_300_800_000

_SQL = Statements("workflows")
_LOAD, _START, _ADVANCE, _ADVANCE_DUE = _SQL["load"], _SQL["start"], _SQL["advance"], _SQL["advance_due"]
_decode_state = msgspec.json.Decoder(Execution).decode
_decode_event: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)
_encode = msgspec.json.Encoder().encode


class Stored(NamedTuple):
    """One execution: its number, the order's id it is named by, the definition it is pinned to, and its value."""

    no: int
    name: str
    definition: int
    execution: Execution
    #: The execution waits for a timer, so it has a place of its own in the index of due ones.
    has_timer: bool


class Awaited(NamedTuple):
    """A task that ends when somebody answers it. ``until``: milliseconds, NEVER without a limit.

    ``busy``: its own call is still under way.
    """

    task: int
    busy: bool
    until: int


class Executions:
    def __init__(self, session: Session) -> None:
        self._session = session

    def load(self, no: int) -> Stored | None:
        row = self._session.row(_LOAD, (no,))
        return Stored(no, row[0], row[1], _decode_state(row[2]), row[3] != NEVER) if row else None

    def exists(self, no: int) -> bool:
        return self._session.row(_SQL["exists"], (no,)) is not None

    def insert(
        self, stored: Stored, events: Sequence[AnyEvent], waits: Sequence[Command], awaited: Sequence[Awaited] = ()
    ) -> None:
        due, busy = _due(stored.execution, waits, awaited)
        state, log = _encode(stored.execution).decode(), _log(events)
        self._session.rows(_START, (stored.no, stored.definition, stored.execution.status, due, busy, state, log))

    def update(
        self, stored: Stored, events: Sequence[AnyEvent], waits: Sequence[Command], awaited: Sequence[Awaited] = ()
    ) -> None:
        due, busy = _due(stored.execution, waits, awaited)
        values = (stored.no, stored.execution.status, busy, _encode(stored.execution).decode(), _log(events))
        if due == NEVER and not stored.has_timer:
            self._session.rows(_ADVANCE, values)
        else:
            self._session.rows(_ADVANCE_DUE, (*values, due))

    def due(self, now: int, limit: int) -> list[int]:
        """Executions with a timer or a time limit that should have fired, longest overdue first."""
        return [int(no) for (no,) in self._session.rows(_SQL["due"], (now, limit))]

    def next_due(self, now: int) -> int:
        """When the next timer after ``now`` fires; NEVER if there is none."""
        (at,) = self._session.one(_SQL["next_due"], (now,))
        return int(at or NEVER)

    def busy(self, after: int, limit: int) -> list[int]:
        """Executions behind ``after`` that have a call under way."""
        return [int(no) for (no,) in self._session.rows(_SQL["busy"], (after, limit))]

    def history(self, name: str) -> tuple[Machine, list[AnyEvent]] | None:
        """The machine and every event that an execution was fed."""
        row = self._session.row(_SQL["history"], (name,))
        return (parse(msgspec.json.decode(row[0])), _decode_event.decode_lines(row[1])) if row else None

    def running(self) -> int:
        (count,) = self._session.one(_SQL["running"])
        return int(count)

    def pin(self, digest: str, body: Json, now: int) -> int:
        """The number of this definition, new or known."""
        self._session.rows(_SQL["pin"], (digest, _encode(body).decode(), now))
        (no,) = self._session.one(_SQL["pinned"], (digest,))
        return int(no)

    def definition(self, no: int) -> Json:
        """The definition of this number, which some execution is pinned to."""
        (body,) = self._session.one(_SQL["definition"], (no,))
        return msgspec.json.decode(body)

    def live_definitions(self) -> list[tuple[int, Json, int]]:
        """Every definition that executions still run on: its number, its JSON, how many."""
        rows = self._session.rows(_SQL["live_definitions"])
        return [(int(no), msgspec.json.decode(body), int(count)) for no, body, count in rows]


def _due(execution: Execution, waits: Sequence[Command], awaited: Sequence[Awaited] = ()) -> tuple[int | None, int]:
    """When time alone moves the execution on, and whether a call of it is under way that has to be taken up again."""
    if execution.status != "RUNNING":
        return None, 0
    timers = [wait.at for wait in waits if isinstance(wait, StartTimer)]
    if not awaited:
        return min(timers, default=NEVER), int(len(timers) < len(waits))
    quiet = len(timers) + sum(not task.busy for task in awaited)
    return min([*timers, *(task.until for task in awaited)]), int(quiet < len(waits))


def _log(events: Sequence[AnyEvent]) -> str:
    return b"".join(_encode(event) + b"\n" for event in events).decode()
