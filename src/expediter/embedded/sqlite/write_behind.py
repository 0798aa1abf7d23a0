"""A write-behind cache on the writer's connection. Units change rows in memory; each batch goes to SQLite just before
its COMMIT, in one executemany a statement.

This is possible because one process, and in it one connection, writes the file. Most reads of an order find a row that
the writer wrote a moment ago, and several changes of a row in one batch are one statement.

A unit:

    no unit ─ begin ─→ CACHED ──────────── end: its changes belong to the batch ────────────────────→ no unit
                         │   └──────────── undo: the cache is as before the unit ───────────────────→ no unit
                         └ rows, row ─→ DIRECT (under a SAVEPOINT) ─ end: RELEASE; undo: ROLLBACK ──→ no unit

- CACHED: the unit has read and changed cached rows, and ``execute`` has kept its statements. SQLite knows none of it.
- DIRECT: the unit has run a statement at once (``rows``, ``row``). The changes of the batch were written first, then
  the SAVEPOINT was made, then the unit's own changes were written. So the statement sees all that came before it.

A batch:

    its units run ─ write ─→ written ─ committing ─→ COMMIT runs ─ kept ─→ over
          └───────────────────┴───────────────────────────┴──────── lost ─→ over, and the cache is empty

- While COMMIT runs, units of the next batch run. They must not touch the connection: who needs it gets ConnectionBusy.
- A write that failed in the middle has lost the batch. No further write is tried, because some rows are in SQLite.
"""

import re
from enum import Enum, auto
from functools import cache
from itertools import chain
from typing import Any

import apsw
import msgspec

from expediter.domain.errors import StoreUnavailable
from expediter.embedded.clock import Clock
from expediter.embedded.sqlite.row_cache import CachedRows
from expediter.embedded.sqlite.session import (
    Change,
    Changed,
    ConnectionBusy,
    K,
    Mapper,
    Row,
    Rows,
    Session,
    V,
    Value,
    Writes,
    ignore,
)

_CHANGES = re.compile(r"\b(?:INSERT(?: OR \w+)? INTO|REPLACE INTO|UPDATE(?: OR \w+)?|DELETE FROM) (\w+)")


@cache
def _changed_by(sql: str) -> frozenset[str]:
    """The tables that a statement may change."""
    return frozenset(_CHANGES.findall(sql))


class _Unit(Enum):
    """What the running unit has done. See the top of this file."""

    NONE = auto()
    CACHED = auto()
    DIRECT = auto()


_NONE, _CACHED, _DIRECT = _Unit


class _Batch(msgspec.Struct):
    """A batch from its first unit until it is kept or lost.

    ``statements``: those that are written with it, with their values. ``written``: the changed rows of tables that have
    listeners. ``direct``: a unit ran a statement at once, so the cache does not know all that the COMMIT writes.
    ``failed``: why a write failed.
    """

    statements: dict[str, list[tuple[Value, ...]]] = {}
    written: list[tuple[Changed[Any], list[Change[Any]]]] = []
    direct: bool = False
    failed: StoreUnavailable | None = None


class WriteBehind(Session):
    """The session of the writer, and its TransactionHooks. ``now``: the time of the running unit, ms since 1970 UTC.

    ``reading``: another session on the same file. It reads immutable rows while COMMIT runs.
    """

    def __init__(self, connection: apsw.Connection, clock: Clock, reading: Session | None = None) -> None:
        super().__init__(connection, reading.failed if reading else ignore)
        self._clock = clock
        self._reading = reading
        self.now = clock.now()
        #: ``executemany`` of a connection makes a cursor each time.
        self._cursor = connection.cursor()
        #: The connection as it is, without the cache.
        self._connection = Session(connection, self.failed)
        self._tables: dict[str, CachedRows[Any, Any]] = {}
        self._unit = _NONE
        #: What the running unit changed: rows as they were before, and statements with their values.
        self.undo_log: list[tuple[CachedRows[Any, Any], Any, Any]] = []
        self._statements: list[tuple[str, tuple[Value, ...]]] = []
        #: The tables that the batch has yet to write.
        self.unwritten: list[CachedRows[Any, Any]] = []
        self._batch = _Batch()
        #: How many of the batch's ``written`` there were before the running unit became DIRECT.
        self._told = 0
        #: The batch whose COMMIT runs.
        self._committing: _Batch | None = None

    # ── what stores do ────────────────────────────────────────────────────────────────────────────────────────────

    def table(self, mapper: Mapper[K, V], changed: Changed[V] | None = None) -> Rows[K, V]:
        if mapper.table not in self._tables:
            self._tables[mapper.table] = CachedRows(self, mapper, changed)
        return self._tables[mapper.table]

    def execute(self, sql: str, values: tuple[Value, ...]) -> None:
        if self._unit is _NONE:
            super().rows(sql, values)
        else:
            self._statements.append((sql, values))

    def rows(self, sql: str, values: tuple[Value, ...] = ()) -> list[Row]:
        if self._unit is not _NONE:
            self._write_through()
        found = super().rows(sql, values)
        self._invalidate(sql)
        return found

    def row(self, sql: str, values: tuple[Value, ...] = ()) -> Row | None:
        if self._unit is not _NONE:
            self._write_through()
        found = super().row(sql, values)
        self._invalidate(sql)
        return found

    # ── what cached rows do ───────────────────────────────────────────────────────────────────────────────────────

    @property
    def file(self) -> Session:
        """The file, without what is not written yet. Raises ConnectionBusy."""
        if self._committing:
            raise ConnectionBusy
        return self._connection

    def read(self, mapper: Mapper[K, V], key: K) -> V | None:
        """A row of the file. Raises ConnectionBusy.

        While COMMIT runs, an immutable row is read as it is before that COMMIT: what the COMMIT adds is cached.
        """
        if not self._committing:
            return mapper.read(self._connection, key)
        if mapper.immutable and self._reading and not self._committing.direct:
            return mapper.read(self._reading, key)
        raise ConnectionBusy

    def mark_children_absent(self, mapper: Mapper[K, V], value: V) -> None:
        """This row is new, so no other table has a child of it."""
        for table, key in mapper.children.items():
            if table in self._tables:
                self._tables[table].mark_absent(key(value))

    def select(self, sql: str, values: tuple[Value, ...]) -> list[Row]:
        """All rows of a statement that only reads, after the changes of the batch are written. Raises ConnectionBusy.

        A unit that has changed nothing yet needs no SAVEPOINT for it.
        """
        if self._unit is _DIRECT or self.undo_log or self._statements:
            return self.rows(sql, values)
        file = self.file
        self.write()
        return file.rows(sql, values)

    # ── what the writer does ──────────────────────────────────────────────────────────────────────────────────────

    def begin(self) -> None:
        self.now = self._clock.now()
        self._unit = _CACHED

    def end(self) -> None:
        self._end_changes()
        if self._unit is _DIRECT:
            self.connection.execute("RELEASE unit")
        self._unit = _NONE

    def undo(self) -> None:
        self._restore()
        self.undo_log.clear()
        self._statements.clear()
        if self._unit is _DIRECT:
            self.connection.execute("ROLLBACK TO unit")
            self.connection.execute("RELEASE unit")
            del self._batch.written[self._told :]
            self._drop_cache()
        self._unit = _NONE

    def write(self) -> None:
        """Writes the changes of the units that ended. Raises StoreUnavailable, and from then on until ``lost``."""
        batch = self._batch
        if batch.failed:
            raise batch.failed
        writes: list[Writes] = []
        for rows in self.unwritten:
            changes = rows.take_changes()
            writes.append(rows.mapper.write(changes))
            if rows.changed:
                batch.written.append((rows.changed, changes))
        writes.append(batch.statements.items())
        try:
            for sql, values in chain.from_iterable(writes):
                if values:
                    self._cursor.executemany(sql, values)
        except apsw.Error as error:
            batch.failed = self.unavailable(error)
            raise batch.failed from error
        self.unwritten.clear()
        batch.statements.clear()

    def committing(self) -> None:
        self._committing, self._batch = self._batch, _Batch()

    def kept(self) -> None:
        kept, self._committing = self._committing, None
        if kept:
            for changed, changes in kept.written:
                changed(changes)

    def lost(self, why: BaseException) -> None:
        self.failed(why)
        self._unit, self._batch, self._committing = _NONE, _Batch(), None
        self._statements.clear()
        self.undo_log.clear()
        self._drop_cache()

    # ── inside ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _write_through(self) -> None:
        """A statement runs at once: writes everything that came before it. Raises ConnectionBusy, StoreUnavailable."""
        if self._committing:
            raise ConnectionBusy
        if self._unit is _CACHED:
            self._begin_direct()
        self._end_changes()
        self.write()

    def _begin_direct(self) -> None:
        """Writes the batch as it was before the unit, sets the SAVEPOINT, and makes the changes of the unit again."""
        unit = [(rows, key, before, rows[key]) for rows, key, before in self.undo_log]
        self._restore()
        self.write()
        self.connection.execute("SAVEPOINT unit")
        self._unit = _DIRECT
        self._batch.direct = True
        self._told = len(self._batch.written)
        for rows, key, before, value in unit:
            rows.put(key, before, value)

    def _invalidate(self, sql: str) -> None:
        """Cached rows of the tables that a statement may have changed are read from the file again."""
        for table in _changed_by(sql):
            if table in self._tables:
                self._tables[table].invalidate()

    def _restore(self) -> None:
        """The rows are as they were before the unit."""
        for rows, key, before in reversed(self.undo_log):
            rows[key] = before

    def _drop_cache(self) -> None:
        self.unwritten.clear()
        for rows in self._tables.values():
            rows.drop()

    def _end_changes(self) -> None:
        """The unit's changes belong to the batch."""
        self.undo_log.clear()
        if self._statements:
            for sql, values in self._statements:
                self._batch.statements.setdefault(sql, []).append(values)
            self._statements.clear()
