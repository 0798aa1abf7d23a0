"""A SQLite VFS that writes down, in order, everything that is asked of the disk, and what the outside was told.

It does all of it for real as well (the default VFS below it), so the program runs as it always does.
https://rogerbinns.github.io/apsw/vfs.html
"""

from itertools import count
from pathlib import Path
from typing import NamedTuple, TypeAlias

import apsw

_JOURNALS = apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL | apsw.SQLITE_OPEN_SUPER_JOURNAL
_names = count(1)


class Created(NamedTuple):
    file: str


class Wrote(NamedTuple):
    file: str
    offset: int
    data: bytes


class Truncated(NamedTuple):
    file: str
    size: int


class Synced(NamedTuple):
    """The file was synced; ``folder``: its directory as well."""

    file: str
    folder: bool


class Deleted(NamedTuple):
    """The file was deleted; ``folder``: its directory was synced after that."""

    file: str
    folder: bool


class Told(NamedTuple):
    """Somebody outside now counts on something: ``what`` happened to the order."""

    what: str
    order_id: str


Event: TypeAlias = Created | Wrote | Truncated | Synced | Deleted | Told


class Recording:
    """Everything that happened, oldest first. Open connections with ``vfs=recording.vfs``; ``close`` it at the end."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.vfs = f"recording{next(_names)}"
        self._vfs = _Vfs(self.vfs, self.events)

    def tell(self, what: str, order_id: str) -> None:
        self.events.append(Told(what, order_id))

    @property
    def syncs(self) -> list[int]:
        """The positions behind each sync."""
        return [at + 1 for at, event in enumerate(self.events) if isinstance(event, Synced)]

    def close(self) -> None:
        self._vfs.unregister()


class _Vfs(apsw.VFS):
    def __init__(self, name: str, events: list[Event]) -> None:
        super().__init__(name, "")
        self._events = events

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802  # SQLite's name
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        if path is None:  # a temporary file: gone with the process in any case
            return super().xOpen(name, flags)
        new = not Path(path).exists()
        file = _File(path, name, flags, self._events)
        if new:
            self._events.append(Created(Path(path).name))
        return file

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802, FBT001, RUF100  # SQLite's name and signature
        super().xDelete(filename, syncdir)
        self._events.append(Deleted(Path(filename).name, syncdir))


class _File(apsw.VFSFile):
    """SQLite's own unix VFS syncs the directory with the first sync of a journal or log that it opened with CREATE
    (os_unix.c, UNIXFILE_DIRSYNC); of the database file it never does.
    """

    def __init__(self, path: str, name: str | apsw.URIFilename | None, flags: list[int], events: list[Event]) -> None:
        self._name, self._events = Path(path).name, events
        self._syncs_folder = bool(flags[0] & apsw.SQLITE_OPEN_CREATE and flags[0] & _JOURNALS)
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802  # SQLite's name
        super().xWrite(data, offset)
        self._events.append(Wrote(self._name, offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802  # SQLite's name
        super().xTruncate(newsize)
        self._events.append(Truncated(self._name, newsize))

    def xSync(self, flags: int) -> None:  # noqa: N802  # SQLite's name
        super().xSync(flags)
        self._events.append(Synced(self._name, self._syncs_folder))
        self._syncs_folder = False
