"""What is on the disk after the power was lost. The model, as honest as POSIX is:

- what was written to a file, or cut off it, is there for sure once that file was synced afterwards;
- a file is in its directory (or gone from it) for sure once the directory was synced afterwards;
- of everything younger than that, any part may be there: each truncation, each directory entry, and of each write
  each sector of 512 bytes by itself, old or new, never a mixture. This is what SQLite asks of a disk
  (https://www.sqlite.org/atomiccommit.html, 2.0, with "powersafe overwrite": https://www.sqlite.org/psow.html);
- a sync that returned was not a lie of the drive, and nothing synced rots.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from tests.power.recording import Created, Deleted, Event, Synced, Truncated, Wrote

SECTOR = 512

#: Says of each thing that was not synced whether it reached the disk.
Chance: TypeAlias = Callable[[], bool]
Change: TypeAlias = Wrote | Truncated
Entry: TypeAlias = Created | Deleted


class _Inode:
    def __init__(self) -> None:
        self.synced = bytearray()
        self.pending: list[Change] = []

    def sync(self) -> None:
        _apply(self.synced, self.pending)
        self.pending.clear()

    def after_loss(self, reached: Chance) -> bytes:
        content = bytearray(self.synced)
        _apply(content, _survivors(self.pending, reached))
        return bytes(content)


class Disk:
    """Feed it the events up to the moment of the loss, then ask what is left."""

    def __init__(self) -> None:
        self._now: dict[str, _Inode] = {}
        self._synced: dict[str, _Inode] = {}
        self._pending: list[tuple[Entry, _Inode]] = []

    def feed(self, events: Iterable[Event]) -> None:
        for event in events:
            if isinstance(event, Wrote | Truncated):
                self._now[event.file].pending.append(event)
            elif isinstance(event, Created):
                self._now[event.file] = _Inode()
                self._pending.append((event, self._now[event.file]))
            elif isinstance(event, Synced):
                self._now[event.file].sync()
                self._sync_folder(event.folder)
            elif isinstance(event, Deleted):
                self._pending.append((event, self._now.pop(event.file)))
                self._sync_folder(event.folder)

    def after_loss(self, reached: Chance) -> dict[str, bytes]:
        """The files in the folder, by name."""
        entries = dict(self._synced)
        _enter(entries, (entry for entry in self._pending if reached()))
        return {name: inode.after_loss(reached) for name, inode in entries.items()}

    def _sync_folder(self, synced: bool) -> None:
        if synced:
            _enter(self._synced, self._pending)
            self._pending.clear()


def _enter(entries: dict[str, _Inode], changes: Iterable[tuple[Entry, _Inode]]) -> None:
    for entry, inode in changes:
        if isinstance(entry, Created):
            entries[entry.file] = inode
        else:
            entries.pop(entry.file, None)


def _survivors(pending: list[Change], reached: Chance) -> Iterator[Change]:
    for change in pending:
        if isinstance(change, Truncated):
            if reached():
                yield change
        else:
            yield from (sector for sector in _sectors(change) if reached())


def _sectors(write: Wrote) -> Iterator[Wrote]:
    start, end = write.offset, write.offset + len(write.data)
    while start < end:
        stop = min(end, (start // SECTOR + 1) * SECTOR)
        yield Wrote(write.file, start, write.data[start - write.offset : stop - write.offset])
        start = stop


def _apply(content: bytearray, changes: Iterable[Change]) -> None:
    for change in changes:
        if isinstance(change, Truncated):
            del content[change.size :]
            content.extend(bytes(change.size - len(content)))
        else:
            content.extend(bytes(max(0, change.offset - len(content))))
            content[change.offset : change.offset + len(change.data)] = change.data
