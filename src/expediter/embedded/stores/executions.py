"""Executions on SQLite: the value of the state machine, the events that it took in, and when it is due."""

from collections.abc import Sequence

import msgspec

from expediter.asl import Execution, Machine, parse
from expediter.asl.protocol import AnyEvent
from expediter.domain.errors import StoreUnavailable
from expediter.embedded.engine.ports import NEVER, NEW, StoredExecution
from expediter.embedded.sqlite.database import Rows, Session, Statements, Value
from expediter.embedded.stores.claims import SqliteClaims

_SQL = Statements("workflows")
_LOAD, _START, _ADVANCE, _ADVANCE_DUE = _SQL["load"], _SQL["start"], _SQL["advance"], _SQL["advance_due"]
_decode_state = msgspec.json.Decoder(Execution).decode
_decode_event: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)
_encode = msgspec.json.Encoder().encode
_encode_lines = msgspec.json.Encoder().encode_lines


class SqliteExecutions:
    """The port ``ExecutionStore``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._claims = SqliteClaims(session)
        self._rows: Rows[int, StoredExecution] = session.table(
            "execution", self._read, self._write, _written, _not_yet_written
        )

    def create(self, name: str, definition: int) -> StoredExecution | None:
        no = self._claims.number(name)
        if no is None:
            raise StoreUnavailable(f"An execution was to be started under an id that nobody has claimed: {name}")
        return StoredExecution(no, name, definition, Execution()) if self._rows.get(no) is None else None

    def find(self, name: str) -> StoredExecution | None:
        no = self._claims.number(name)
        return None if no is None else self._rows.get(no)

    def load(self, no: int) -> StoredExecution | None:
        return self._rows.get(no)

    def store(
        self, before: StoredExecution, execution: Execution, events: Sequence[AnyEvent], due: int | None, busy: int
    ) -> StoredExecution:
        log, written_due = _encode_lines(events), before.written_due
        if (now := self._rows.get(before.no)) is not None:  # its row may have been written since it was loaded
            log, written_due = now.log + log, now.written_due
        after = StoredExecution(before.no, before.name, before.definition, execution, due, busy, log, written_due)
        self._rows.put(before.no, after)
        return after

    def due(self, now: int, limit: int) -> list[int]:
        return [int(no) for (no,) in self._session.rows(_SQL["due"], (now, limit))]

    def next_due(self, now: int) -> int:
        (at,) = self._session.one(_SQL["next_due"], (now,))
        return int(at or NEVER)

    def busy(self) -> list[int]:
        return [int(no) for (no,) in self._session.rows(_SQL["busy"])]

    def history(self, name: str) -> tuple[Machine, list[AnyEvent]] | None:
        row = self._session.row(_SQL["history"], (name,))
        return (parse(msgspec.json.decode(row[0]), accepted=True), decoded(row[1])) if row else None

    def running(self) -> int:
        """How many executions have not ended."""
        (count,) = self._session.one(_SQL["running"])
        return int(count)

    def _read(self, no: int) -> StoredExecution | None:
        row = self._session.peek(_LOAD, (no,))
        if row is None:
            return None
        name, definition, state, due, busy = row
        return StoredExecution(no, name, definition, _decode_state(state), due, busy, written_due=due)

    def _write(self, rows: Sequence[StoredExecution]) -> None:
        statements: dict[str, list[tuple[Value, ...]]] = {_START: [], _ADVANCE: [], _ADVANCE_DUE: []}
        for stored in rows:
            values = (stored.no, stored.execution.status, stored.busy, _encode(stored.execution), stored.log)
            if stored.written_due == NEW:
                statements[_START].append((*values, stored.definition, stored.due))
            elif stored.written_due == stored.due:
                statements[_ADVANCE].append(values)
            else:
                statements[_ADVANCE_DUE].append((*values, stored.due))
        for sql, chosen in statements.items():
            if chosen:
                self._session.many(sql, chosen)


def decoded(history: str) -> list[AnyEvent]:
    """The events in a stored history."""
    return _decode_event.decode_lines(history)


def _written(stored: StoredExecution) -> StoredExecution | None:
    """The execution once its row is written; one that ended need not be remembered."""
    if stored.due is None:
        return None
    return msgspec.structs.replace(stored, log=b"", written_due=stored.due)


def _not_yet_written(later: StoredExecution, written: StoredExecution) -> StoredExecution:
    """The later value without the events that are written now."""
    return msgspec.structs.replace(later, log=later.log[len(written.log) :], written_due=written.due)
