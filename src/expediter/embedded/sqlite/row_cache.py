"""The cached rows of one table. ``write_behind`` tells when they change, are written and are dropped."""

from collections.abc import Callable
from functools import partial
from itertools import islice
from typing import Any, Generic, Protocol

from expediter.embedded.sqlite.session import Change, Changed, K, Mapper, Row, Session, V, Value, any_row

#: Rows of a table in memory at most; beyond it those that were written longest ago are dropped. It is more than are
#: under way without a hold. A row that is read from the file again costs a third of an order.
CAPACITY = 8_192


class CacheOwner(Protocol):
    """What cached rows need. ``changed``: the tables that the running unit changed. ``unwritten``: those to write."""

    changed: "list[CachedRows[Any, Any]]"
    unwritten: "list[CachedRows[Any, Any]]"

    @property
    def file(self) -> Session:
        """The file, without what is not written yet. Raises ConnectionBusy."""

    def read(self, mapper: Mapper[K, V], key: K) -> V | None:
        """A row of the file. Raises ConnectionBusy."""

    def select(self, sql: str, values: tuple[Value, ...]) -> list[Row]:
        """All rows of a statement that only reads, changes included. Raises ConnectionBusy."""


class _ReadThrough(dict[K, V | None]):
    """Values by key. A key that is not there is read. ``full``: is called when there are more than CAPACITY."""

    def __init__(self, read: Callable[[K], V | None], full: Callable[[], None]) -> None:
        super().__init__()
        self._read = read
        self._full = full

    def __missing__(self, key: K) -> V | None:
        value = self[key] = self._read(key)
        if len(self) > CAPACITY:
            self._full()
        return value


class CachedRows(Generic[K, V]):
    """The rows of one table, one value for each key: the newest.

    ``cached``: what units read and change; None: there is no such row.
    ``_undo``: what the rows that the running unit changed were before it.
    ``_filed``: what the file holds of the rows that the batch changed.
    """

    def __init__(self, owner: "CacheOwner", mapper: Mapper[K, V], changed: Changed[V] | None) -> None:
        self._owner = owner
        self._table, _, self._write, self._keep, _ = mapper
        self._changed = changed
        self.cached: dict[K, V | None] = _ReadThrough(partial(owner.read, mapper), self.shrink)
        #: The dictionary's own: to find a cached row takes no Python call.
        self.get = self.cached.__getitem__
        self._undo: dict[K, V | None] = {}
        self._filed: dict[K, V | None] = {}
        #: The largest number of a row; None: not known. Numbers of lost rows are not used again.
        self._number: int | None = None
        #: Whether the file holds no row; None: not known.
        self._empty: bool | None = None

    def put(self, key: K, before: V | None, value: V | None) -> None:
        if key not in self._undo:
            if not self._undo:
                self._owner.changed.append(self)
            self._undo[key] = before
        self.cached[key] = value

    def next_number(self, sql: str) -> int:
        if self._number is None:
            self._number = int(self._owner.select(sql, ())[0][0])
        self._number += 1
        return self._number

    def is_empty(self) -> bool:
        if self._empty is None:
            self._empty = self._owner.file.row(any_row(self._table)) is None
        return self._empty

    def select(self, sql: str, values: tuple[Value, ...]) -> list[Row]:
        return self._owner.select(sql, values)

    def end(self) -> None:
        """The unit ended well: its changes belong to the batch."""
        undo, filed = self._undo, self._filed
        if not filed:
            self._owner.unwritten.append(self)
        for key, before in undo.items():
            filed.setdefault(key, before)
        if self._changed:
            for key, before in undo.items():
                value = self.cached[key]
                if value is not None and value is not before:
                    self._changed(before, value)
        undo.clear()

    def undo(self) -> None:
        """The unit's changes are taken back."""
        self.cached.update(self._undo)
        self._undo.clear()

    def write(self, session: Session) -> None:
        """Writes the changes of the batch. A row that the running unit changed further is written as it was before."""
        undo, cached, keep = self._undo, self.cached, self._keep
        changes: list[Change[V]] = []
        for key, before in self._filed.items():
            if key in undo:
                changes.append((before, undo[key]))
                continue
            value = cached.pop(key)  # what is added again is the last to be dropped
            changes.append((before, value))
            if value is not None and (kept := keep(value)) is not None:
                cached[key] = kept
        self._filed.clear()
        self._write(session, changes)
        if self._empty is not None and any((before is None) is not (value is None) for before, value in changes):
            self._empty = None

    def invalidate(self) -> None:
        """Drops what can be read from the file again: all but unwritten changes."""
        for key in self.cached.keys() - self._undo.keys() - self._filed.keys():
            del self.cached[key]
        self._empty = None

    def clear(self) -> None:
        """Drops everything, unwritten changes too."""
        for values in (self.cached, self._undo, self._filed):
            values.clear()
        self._empty = None

    def shrink(self) -> None:
        """Drops the oldest values beyond CAPACITY, but no unwritten change."""
        for key in list(islice(self.cached, len(self.cached) - CAPACITY)):
            if key not in self._filed and key not in self._undo:
                del self.cached[key]
