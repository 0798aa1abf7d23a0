"""The writer's connection: what units write is gathered here and goes to SQLite once per batch.

    unit ─→ staged by the unit ─→ (the unit ends) ─→ staged by the batch ─→ one executemany a statement ─→ COMMIT

An order's way is some dozen reads and writes of three rows that the writer itself wrote a moment ago, because it is the
only one who writes this file. So:
 - a row is read from what is staged, then from what is known of the file, then from the file;
 - a row that several units of a batch change is written once;
 - a write that fails in the middle has lost the batch: nobody knows which of its rows have reached SQLite;
 - a unit that raises just drops what it staged: nothing of it has reached SQLite, and no SAVEPOINT is needed;
 - while COMMIT runs nobody reads the file: whoever needs it meets Committing. What that COMMIT writes is known. What a
   moment more or less makes no difference for is read on another connection (``glance``);
 - whoever runs a statement of his own first has everything staged written, his own unit's part under a SAVEPOINT. So
   every statement sees what came before it, and is undone with its unit.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import apsw

from expediter.domain.errors import StoreUnavailable
from expediter.embedded.sqlite.database import Committing, K, Row, Rows, Session, V, Value, ignore

#: Rows of a table that are kept in memory, the last that were written: more than are under way without a hold, also
#: while more come in than can end. Each that is read from the file again costs a third of an order.
KNOWN = 8_192


class Staged(Rows[K, V]):
    """The rows of one table as this batch leaves them."""

    def __init__(
        self,
        read: Callable[[K], V | None],
        write: Callable[[Sequence[V]], None],
        filed: Callable[[V], V | None],
        since: Callable[[V, V], V] | None,
        touched: "list[Staged[Any, Any]]",
    ) -> None:
        self._touched = touched
        self._read = read
        self._write = write
        self._filed = filed
        self._since = since
        self._unit: dict[K, V] = {}
        self._batch: dict[K, V] = {}
        #: What the file holds; None: it holds no such row.
        self._known: dict[K, V | None] = {}

    def get(self, key: K) -> V | None:
        if key in self._unit:
            return self._unit[key]
        if key in self._batch:
            return self._batch[key]
        if key in self._known:
            return self._known[key]
        value = self._known[key] = self._read(key)
        return value

    def put(self, key: K, value: V) -> None:
        if not self._unit:
            self._touched.append(self)
        self._unit[key] = value

    def absent(self, key: K) -> None:
        """There is no such row in the file."""
        self._known[key] = None
        if len(self._known) > KNOWN:
            self.shed()

    @property
    def changed(self) -> bool:
        """Whether the unit has changed a row."""
        return bool(self._unit)

    def end(self) -> None:
        """The unit ended well: what it staged belongs to the batch."""
        self._batch.update(self._unit)
        self._unit.clear()

    def undo(self) -> None:
        self._unit.clear()

    def write(self) -> None:
        """Writes what the batch staged."""
        if not self._batch:
            return
        self._write(list(self._batch.values()))
        known, filed = self._known, self._filed
        for key, value in self._batch.items():
            known.pop(key, None)  # the newest one is last, and so the last to be dropped
            if (kept := filed(value)) is not None:
                known[key] = kept
        if self._since and self._unit:
            for key in self._unit.keys() & self._batch.keys():
                self._unit[key] = self._since(self._unit[key], self._batch[key])
        self._batch.clear()

    def shed(self) -> None:
        """Drops what was longest not written, beyond KNOWN rows."""
        while len(self._known) > KNOWN:
            del self._known[next(iter(self._known))]

    def forget(self) -> None:
        """Drops what is known of the file."""
        self._known.clear()

    def lose(self) -> None:
        """Drops what was to be written, too."""
        self._unit.clear()
        self._batch.clear()
        self._known.clear()


class WritingSession(Session):
    """The session of the writer; ``before`` is called before a unit's own statement, to stage what it still holds.

    ``beside``: another one of the same file, which may be read while COMMIT runs.
    """

    def __init__(self, connection: apsw.Connection, beside: Session | None = None) -> None:
        super().__init__(connection, beside.failed if beside else ignore)
        self._beside = beside
        self.before: Callable[[], None] = _nothing
        self._tables: dict[str, Staged[Any, Any]] = {}
        #: The tables that the unit has changed.
        self._touched: list[Staged[Any, Any]] = []
        self._unit_rows: list[tuple[str, tuple[Value, ...]]] = []
        self._batch_rows: dict[str, list[tuple[Value, ...]]] = {}
        self._numbers: dict[str, int] = {}
        #: What ``recall`` has found in the file.
        self._recalled: dict[str, Row | None] = {}
        self._units = 0
        #: The unit has run a statement of its own, under a savepoint.
        self._direct = False
        #: A unit of this batch has, so that memory does not know all that COMMIT writes.
        self._past_memory = False
        #: COMMIT runs.
        self._committing = False
        #: Why nothing of this batch can be written any more.
        self._failed: StoreUnavailable | None = None

    # ── what stores do ────────────────────────────────────────────────────────────────────────────────────────────

    def table(
        self,
        name: str,
        read: Callable[[K], V | None],
        write: Callable[[Sequence[V]], None],
        filed: Callable[[V], V | None],
        since: Callable[[V, V], V] | None = None,
    ) -> Rows[K, V]:
        if name not in self._tables:
            self._tables[name] = Staged(read, write, filed, since, self._touched)
        return self._tables[name]

    def absent(self, name: str, key: Hashable) -> None:
        if name in self._tables:
            self._tables[name].absent(key)

    def recall(self, sql: str) -> Row | None:
        if sql not in self._recalled:
            self._recalled[sql] = self.peek(sql, ())
        return self._recalled[sql]

    def unsure(self, sql: str) -> None:
        self._recalled.pop(sql, None)

    def number(self, sql: str) -> int:
        if sql not in self._numbers:
            self._numbers[sql] = super().number(sql) - 1
        self._numbers[sql] += 1
        return self._numbers[sql]

    def stage(self, sql: str, values: tuple[Value, ...]) -> None:
        if self.unit:
            self._unit_rows.append((sql, values))
        else:
            super().rows(sql, values)

    def peek(self, sql: str, values: tuple[Value, ...]) -> Row | None:
        self._need_the_file()
        return super().row(sql, values)

    def glance(self, sql: str, values: tuple[Value, ...]) -> Row | None:
        if self._committing and not self._past_memory and self._beside is not None:
            return self._beside.row(sql, values)
        return self.peek(sql, values)

    def look(self, name: str, sql: str, values: tuple[Value, ...]) -> list[Row]:
        self._need_the_file()
        table = self._tables[name]
        if self._direct or table.changed:
            return self.rows(sql, values)
        self._all_or_none(table.write)  # the batch's part needs no savepoint, and the other tables can wait
        return super().rows(sql, values)

    def rows(self, sql: str, values: tuple[Value, ...] = ()) -> list[Row]:
        if self.unit:
            self._write_first()
        return super().rows(sql, values)

    def row(self, sql: str, values: tuple[Value, ...] = ()) -> Row | None:
        if self.unit:
            self._write_first()
        return super().row(sql, values)

    def _need_the_file(self) -> None:
        if self._committing:
            raise Committing

    def _write_first(self) -> None:
        self._need_the_file()
        if not self._direct:
            self.write()
            self.connection.execute("SAVEPOINT unit")
            self._direct = self._past_memory = True
        self.before()
        self._end_staging()
        self.write()

    # ── what the writer does ──────────────────────────────────────────────────────────────────────────────────────

    def begin(self) -> None:
        """A unit begins."""
        self._units += 1
        self.unit = self._units

    def end(self) -> None:
        """The unit ended well."""
        self._end_staging()
        if self._direct:
            self.connection.execute("RELEASE unit")
        self.unit, self._direct = 0, False

    def undo(self) -> None:
        """The unit ended badly: nothing of it stays."""
        for table in self._touched:
            table.undo()
        self._touched.clear()
        self._unit_rows.clear()
        if self._direct:
            self.connection.execute("ROLLBACK TO unit")
            self.connection.execute("RELEASE unit")
            self.forget()
        self.unit, self._direct = 0, False

    def write(self) -> None:
        """Writes what units that ended have staged. Raises StoreUnavailable."""
        self._all_or_none(self._write_staged)

    def _write_staged(self) -> None:
        for table in self._tables.values():
            table.write()
        for sql, rows in self._batch_rows.items():
            self.many(sql, rows)
        self._batch_rows.clear()

    def _all_or_none(self, write: Callable[[], None]) -> None:
        """Once this has failed it fails until the batch is ``lost``: a second try would write some rows twice."""
        if self._failed:
            raise self._failed
        try:
            write()
        except StoreUnavailable as error:
            self._failed = error
            raise

    def committing(self) -> None:
        """COMMIT begins; ``kept`` or ``lost`` ends it."""
        self._committing = True

    def kept(self) -> None:
        """The batch is committed."""
        self._committing = self._past_memory = False
        for table in self._tables.values():
            table.shed()

    def lost(self) -> None:
        """The batch was rolled back."""
        self.unit, self._direct, self._committing, self._past_memory = 0, False, False, False
        self._failed = None
        self._unit_rows.clear()
        self._batch_rows.clear()
        self._touched.clear()
        self._recalled.clear()
        for table in self._tables.values():
            table.lose()

    def _end_staging(self) -> None:
        for table in self._touched:
            table.end()
        self._touched.clear()
        for sql, values in self._unit_rows:
            self._batch_rows.setdefault(sql, []).append(values)
        self._unit_rows.clear()

    def forget(self) -> None:
        self._recalled.clear()
        for table in self._tables.values():
            table.forget()


def _nothing() -> None:
    """Nobody holds anything back."""
