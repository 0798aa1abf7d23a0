"""The cached rows of one table. ``write_behind`` tells when they change, are written and are dropped."""

from itertools import islice
from typing import Any, Protocol

from expediter.embedded.sqlite.session import Change, Changed, K, Mapper, Row, Session, V, Value, any_row, one

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

    def mark_children_absent(self, mapper: Mapper[K, V], value: V) -> None:
        """This row is new, so no other table has a child of it."""

    def select(self, sql: str, values: tuple[Value, ...]) -> list[Row]:
        """All rows of a statement that only reads, changes included. Raises ConnectionBusy."""


class CachedRows(dict[K, V | None]):
    """The rows of one table, one value for each key: the newest. None: there is no such row.

    A row that is asked for and not here is read.
    ``_filed``: what the file holds of the rows that the batch changed.
    ``changed``: is called with the rows that a batch changed, once it is durable.
    """

    __slots__ = ("_any_row", "_empty", "_filed", "_number", "_owner", "changed", "mapper")

    def __init__(self, owner: "CacheOwner", mapper: Mapper[K, V], changed: Changed[V] | None) -> None:
        super().__init__()
        self._owner = owner
        self.mapper = mapper
        self.changed = changed
        self._filed: dict[K, V | None] = {}
        #: The largest number of a row. Numbers of lost rows are not used again.
        self._number = int(one(owner.file, mapper.last)[0]) if mapper.last else 0
        self._any_row = any_row(mapper.table)
        #: Whether the file holds no row; None: not known.
        self._empty: bool | None = owner.file.row(self._any_row) is None

    def __missing__(self, key: K) -> V | None:
        value = self[key] = self._owner.read(self.mapper, key)
        if len(self) > CAPACITY:
            self._shrink()
        return value

    def put(self, key: K, before: V | None, value: V | None) -> None:
        self._owner.undo_log.append((self, key, before))
        self[key] = value
        if key not in self._filed:
            if not self._filed:
                self._owner.unwritten.append(self)
            self._filed[key] = before
        if before is None and value is not None and self.mapper.children:
            self._owner.mark_children_absent(self.mapper, value)

    def mark_absent(self, key: K) -> None:
        self[key] = None

    def next_number(self) -> int:
        self._number += 1
        return self._number

    def is_empty(self) -> bool:
        if self._empty is None:
            self._empty = self._owner.file.row(self._any_row) is None
        return self._empty

    def select(self, sql: str, values: tuple[Value, ...]) -> list[Row]:
        return self._owner.select(sql, values)

    def take_changes(self) -> list[Change[V]]:
        """The changes of the batch, which the caller writes now."""
        keep = self.mapper.keep
        changes: list[Change[V]] = []
        for key, before in self._filed.items():
            value = self.pop(key)  # what is added again is the last to be dropped
            if value is not before:
                changes.append((before, value))
            if value is not None and (kept := keep(value)) is not None:
                self[key] = kept
        self._filed.clear()
        if len(self) > CAPACITY:
            self._shrink()
        if self._empty is not None and any(before is None or value is None for before, value in changes):
            self._empty = None
        return changes

    def invalidate(self) -> None:
        """Drops what can be read from the file again: all but unwritten changes."""
        for key in self.keys() - self._filed.keys():
            del self[key]
        self._empty = None

    def drop(self) -> None:
        """Drops everything, unwritten changes too."""
        self.clear()
        self._filed.clear()
        self._empty = None

    def _shrink(self) -> None:
        """Drops the oldest values beyond CAPACITY, but no unwritten change."""
        for key in list(islice(self, len(self) - CAPACITY)):
            if key not in self._filed:
                del self[key]
