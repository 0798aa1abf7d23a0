"""A mapping that is kept in a temporary file, so that it may be larger than the memory."""

import sqlite3
from collections.abc import Iterator, MutableMapping
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class OnDisk(MutableMapping[str, T], Generic[T]):
    """Texts to values of ``shape``. SQLite removes the file when the mapping is gone."""

    def __init__(self, shape: type[T]) -> None:
        self._file = sqlite3.connect("", isolation_level=None)
        self._file.execute("PRAGMA journal_mode = OFF")
        self._file.execute("CREATE TABLE kept (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID")
        self._decode = msgspec.json.Decoder(shape).decode

    def close(self) -> None:
        self._file.close()

    def __getitem__(self, key: str) -> T:
        row = self._file.execute("SELECT value FROM kept WHERE key = ?", (key,)).fetchone()
        if row is None:
            raise KeyError(key)
        return self._decode(row[0])

    def __setitem__(self, key: str, value: T) -> None:
        self._file.execute("INSERT OR REPLACE INTO kept VALUES (?, ?)", (key, msgspec.json.encode(value)))

    def __delitem__(self, key: str) -> None:
        self._file.execute("DELETE FROM kept WHERE key = ?", (key,))

    def __iter__(self) -> Iterator[str]:
        for (key,) in self._file.execute("SELECT key FROM kept ORDER BY key"):
            yield key

    def __len__(self) -> int:
        (count,) = self._file.execute("SELECT count(*) FROM kept").fetchone()
        return int(count)
