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
    """What cached rows need. ``undo_log``: a table, a key and the value before it, for each change of the running unit.
    ``unwritten``: the tables that the batch has yet to write.
    """

    undo_log: "list[tuple[CachedRows[Any, Any], Any, Any]]"
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
    ``_filed``: what the file holds of the rows that the batch changed.
    ``changed``: is told of the rows that a batch changed, once it is durable.
    """

    def __init__(self, owner: "CacheOwner", mapper: Mapper[K, V], changed: Changed[V] | None) -> None:
        self._owner = owner
        self._table, _, self._write, self._keep, _ = mapper
        self.changed = changed
        self.cached: dict[K, V | None] = _ReadThrough(partial(owner.read, mapper), self.shrink)
        #: The dictionary's own: to find a cached row takes no Python call.
        self.get = self.cached.__getitem__
        self._filed: dict[K, V | None] = {}
        #: The largest number of a row; None: not known. Numbers of lost rows are not used again.
        self._number: int | None = None
        #: Whether the file holds no row; None: not known.
        self._empty: bool | None = None

    def put(self, key: K, before: V | None, value: V | None) -> None:
        self._owner.undo_log.append((self, key, before))
        self.cached[key] = value
        if key not in self._filed:
            if not self._filed:
                self._owner.unwritten.append(self)
            self._filed[key] = before

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

    def write(self, session: Session) -> list[Change[V]]:
        """Writes the changes of the batch, and returns them."""
        cached, keep = self.cached, self._keep
        changes: list[Change[V]] = []
        for key, before in self._filed.items():
            value = cached.pop(key)  # what is added again is the last to be dropped
            if value is not before:
                changes.append((before, value))
            if value is not None and (kept := keep(value)) is not None:
                cached[key] = kept
        self._filed.clear()
        if changes:
            self._write(session, changes)
        if self._empty is not None and any(before is None or value is None for before, value in changes):
            self._empty = None
        return changes

    def invalidate(self) -> None:
        """Drops what can be read from the file again: all but unwritten changes."""
        for key in self.cached.keys() - self._filed.keys():
            del self.cached[key]
        self._empty = None

    def clear(self) -> None:
        """Drops everything, unwritten changes too."""
        self.cached.clear()
        self._filed.clear()
        self._empty = None

    def shrink(self) -> None:
        """Drops the oldest values beyond CAPACITY, but no unwritten change."""
        for key in list(islice(self.cached, len(self.cached) - CAPACITY)):
            if key not in self._filed:
                del self.cached[key]
