"""Executions as they are stored: the value of the state machine, the events it was fed, and when it is due."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from expediter.asl import Execution, Machine, parse
from expediter.asl.protocol import AnyEvent, Command, Json, StartTimer
from expediter.embedded.sqlite.database import Rows, Session, Statements, Value

#: due_at of an execution that waits for no timer but has not ended: after the year 9999, in milliseconds.
NEVER = 253_402_300_800_000
#: ``filed`` of an execution that has no row yet.
NEW: Final = -1

_SQL = Statements("workflows")
_LOAD, _START, _ADVANCE, _ADVANCE_DUE = _SQL["load"], _SQL["start"], _SQL["advance"], _SQL["advance_due"]
_decode_state = msgspec.json.Decoder(Execution).decode
_decode_event: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)
_encode = msgspec.json.Encoder().encode
_encode_lines = msgspec.json.Encoder().encode_lines


class Stored(msgspec.Struct, frozen=True, gc=False):
    """One execution: its number, the order's id it is named by, the definition it is pinned to, and its value.

    ``due``: when time alone moves it on (None: it ended). ``busy``: a call of it is under way, which a new process has
    to take up again. ``log``: the events that came in since it was last written. ``filed``: the ``due`` of its row.
    """

    no: int
    name: str
    definition: int
    execution: Execution
    due: int | None = NEVER
    busy: int = 0
    log: bytes = b""
    filed: int | None = NEW


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
        self._rows: Rows[int, Stored] = session.table("execution", self._read, self._write, _filed, _since)

    def load(self, no: int) -> Stored | None:
        return self._rows.get(no)

    def store(
        self,
        stored: Stored,
        execution: Execution,
        events: Sequence[AnyEvent],
        waits: Sequence[Command],
        awaited: Sequence[Awaited],
    ) -> Stored:
        """Writes down what the execution has become, and the events that made it so."""
        due, busy = _due(execution, waits, awaited)
        log = _encode_lines(events)
        filed: int | None = NEW
        if (now := self._rows.get(stored.no)) is not None:  # what was loaded may have been written meanwhile
            log, filed = now.log + log, now.filed
        after = Stored(stored.no, stored.name, stored.definition, execution, due, busy, log, filed)
        self._rows.put(stored.no, after)
        return after

    def _read(self, no: int) -> Stored | None:
        row = self._session.peek(_LOAD, (no,))
        return Stored(no, row[0], row[1], _decode_state(row[2]), due=row[3], busy=row[4], filed=row[3]) if row else None

    def _write(self, rows: Sequence[Stored]) -> None:
        statements: dict[str, list[tuple[Value, ...]]] = {_START: [], _ADVANCE: [], _ADVANCE_DUE: []}
        for stored in rows:
            sql, values = _statement(stored)
            statements[sql].append(values)
        for sql, chosen in statements.items():
            if chosen:
                self._session.many(sql, chosen)

    def due(self, now: int, limit: int) -> list[int]:
        """Executions with a timer or a time limit that should have fired, longest overdue first."""
        return [int(no) for (no,) in self._session.rows(_SQL["due"], (now, limit))]

    def next_due(self, now: int) -> int:
        """When the next timer after ``now`` fires; NEVER if there is none."""
        (at,) = self._session.one(_SQL["next_due"], (now,))
        return int(at or NEVER)

    def busy(self) -> list[int]:
        """Executions that have a call under way, the oldest first."""
        return [int(no) for (no,) in self._session.rows(_SQL["busy"])]

    def history(self, name: str) -> tuple[Machine, list[AnyEvent]] | None:
        """The machine and every event that an execution was fed."""
        row = self._session.row(_SQL["history"], (name,))
        return (parse(msgspec.json.decode(row[0]), accepted=True), decoded(row[1])) if row else None

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


def decoded(history: str) -> list[AnyEvent]:
    """The events in a stored history."""
    return _decode_event.decode_lines(history)


def _due(execution: Execution, waits: Sequence[Command], awaited: Sequence[Awaited] = ()) -> tuple[int | None, int]:
    """When time alone moves the execution on, and whether a call of it is under way that has to be taken up again."""
    if execution.status != "RUNNING":
        return None, 0
    due, quiet = NEVER, 0
    for wait in waits:
        if type(wait) is StartTimer:
            due, quiet = min(due, wait.at), quiet + 1
    for task in awaited:
        due, quiet = min(due, task.until), quiet + (not task.busy)
    return due, int(quiet < len(waits))


def _statement(stored: Stored) -> tuple[str, tuple[Value, ...]]:
    """What writes the execution down, and its values."""
    execution, due = stored.execution, stored.due
    values = (stored.no, execution.status, stored.busy, _encode(execution), stored.log)
    if stored.filed == NEW:
        return _START, (*values, stored.definition, due)
    return (_ADVANCE, values) if stored.filed == due else (_ADVANCE_DUE, (*values, due))


def _filed(stored: Stored) -> Stored | None:
    if stored.due is None:
        return None  # it ended
    return msgspec.structs.replace(stored, log=b"", filed=stored.due)


def _since(later: Stored, written: Stored) -> Stored:
    return msgspec.structs.replace(later, log=later.log[len(written.log) :], filed=written.due)
