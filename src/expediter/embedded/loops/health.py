"""Checks the file: whether it is damaged or was replaced, and whether it can be written. While something is wrong
``/readyz`` answers 503. Operators are told once: by a line in the log and a mail to each. That mail does not go through
the outbox, because the outbox is in that file.

- Every error of SQLite is passed to ``saw``.
- Every second a file is written beside the database, and an empty transaction is made in it. So a full disk and another
  program's lock are noticed before an order is refused.
- In the same round the file is looked for under its name: it may have been removed, or another one put in its place.
- A full disk is over once the database itself could be written.
- The whole file is checked once a day. At the start there is a quick check.
"""

import asyncio
import contextlib
import logging
from collections import deque
from functools import partial
from pathlib import Path
from typing import NamedTuple

import apsw

from expediter.app.outages import outage_mails
from expediter.app.ports import Mail, OrderSettings
from expediter.domain.errors import OrderError
from expediter.domain.outage import Outage
from expediter.embedded.clock import Clock
from expediter.embedded.loop import Loop
from expediter.embedded.mail.smtp import Mailer, MailRefused, MailUnavailable
from expediter.embedded.sqlite.files import lock_holders, make_private
from expediter.embedded.sqlite.integrity import DAMAGE, quick_check, thorough_check
from expediter.embedded.sqlite.session import Session, Statements
from expediter.embedded.sqlite.writer import Writer

#: Milliseconds between two rounds, between two notes of the time, and between two checks of the whole file.
LOOK, NOTE, CHECK = 1_000, 60_000, 86_400_000
#: Bytes that the disk must still have room for.
ROOM = b"\0" * 65_536
#: Mails that wait to be sent.
MAILS = 100
#: Errors by which SQLite says that it cannot write.
_UNWRITABLE = (apsw.FullError, apsw.IOError, apsw.ReadOnlyError, apsw.CantOpenError)
#: Outages that end by themselves.
_PASSES = frozenset({Outage.FILE_UNWRITABLE, Outage.FILE_LOCKED})
#: Outages that end only when the server starts again.
_LASTS = frozenset({Outage.FILE_DAMAGED, Outage.FILE_REPLACED})

_SQL = Statements("health")
_log = logging.getLogger("expediter.health")


class Health(Loop):
    """Use it on the event loop's thread, ``saw`` on any."""

    def __init__(self, file: Path, clock: Clock, settings: OrderSettings, mailer: Mailer | None) -> None:
        super().__init__("health", clock, LOOK)
        self._file = file
        self._settings = settings
        self._mailer = mailer
        self._loop = asyncio.get_running_loop()
        #: What is wrong, and since when (ms since 1970 UTC).
        self.outages: dict[Outage, int] = {}
        #: Why the file cannot be written any more, until the server starts again.
        self.lasting: Outage | None = None
        self._noted = 0
        self._mails: deque[Mail] = deque(maxlen=MAILS)
        self._kept: _Kept | None = None

    def saw(self, error: BaseException) -> None:
        """Takes note of an error of SQLite."""
        if isinstance(error, DAMAGE):
            self._loop.call_soon_threadsafe(self._begin, Outage.FILE_DAMAGED)
        elif isinstance(error, _UNWRITABLE):
            self._loop.call_soon_threadsafe(self._begin, Outage.FILE_UNWRITABLE)
        elif isinstance(error, apsw.BusyError):
            self._loop.call_soon_threadsafe(self._begin, Outage.FILE_LOCKED)

    async def check_and_start(self, reading: Session, writing: Session, writer: Writer) -> None:
        """Makes the quick check, and begins the rounds."""
        if not await asyncio.to_thread(quick_check, self._file):
            self._begin(Outage.FILE_DAMAGED)
        self._kept = _Kept(reading, writing, writer, _identity(self._file))
        self.start()

    async def stop(self) -> None:
        """Returns when the round under way has ended and the time is noted."""
        await super().stop()
        if self._kept:
            await self._kept.note(self._clock.now())

    def send(self, mails: tuple[Mail, ...]) -> None:
        """Sends mails to operators as soon as the mail server takes them."""
        self._mails += mails
        self.wake()

    # ── what is wrong ─────────────────────────────────────────────────────────────────────────────────────────────

    def _begin(self, outage: Outage) -> None:
        if outage in self.outages:
            return
        since = self.outages[outage] = self._clock.now()
        if outage in _LASTS:
            self.lasting = self.lasting or outage
        self.send(outage_mails(outage, since, self._settings))
        who = {"locked_by": lock_holders(self._file)} if outage is Outage.FILE_LOCKED else {}
        _log.error("the server is not ready, and operators are told once", extra={"outage": outage.value, **who})

    def _end(self, outage: Outage) -> None:
        if self.outages.pop(outage, None) is not None:
            _log.warning("what was wrong is over", extra={"outage": outage.value})

    # ── looking ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def one_round(self, now: int) -> int:
        """Checks what has to be checked, then tells operators of what is wrong."""
        if self._kept:
            if _identity(self._file) != self._kept.identity:
                self._begin(Outage.FILE_REPLACED)
            await self._look(self._kept, now)
        await self._tell()
        return self._clock.now() + LOOK

    async def _look(self, kept: "_Kept", now: int) -> None:
        if not await asyncio.to_thread(_can_write, self._file.parent):
            self._begin(Outage.FILE_UNWRITABLE)
        elif _PASSES & self.outages.keys() and await kept.note(now):
            for outage in _PASSES:
                self._end(outage)
        if self.outages:
            return
        checked = kept.checked()
        if checked is None or now - checked >= CHECK:
            await self._check(kept, now, first=checked is None)
        elif now - self._noted < NOTE:
            await kept.try_out()
        elif await kept.note(now):
            self._noted = now

    async def _check(self, kept: "_Kept", now: int, *, first: bool) -> None:
        """Checks the whole file, and notes the time of the check. A new file is checked for the first time after a
        day."""
        if not first and not await asyncio.to_thread(thorough_check, self._file, lambda: self._stopping):
            self._begin(Outage.FILE_DAMAGED)
        elif not self._stopping:
            await kept.note(now, now)

    async def _tell(self) -> None:
        """Sends the mails that wait. Those that cannot be sent now are tried again in the next round."""
        if self._mailer is None:
            return
        for _ in range(len(self._mails)):
            mail = self._mails.popleft()
            try:
                await self._mailer.deliver(mail, self._clock.now())
            except MailUnavailable:
                self._mails.append(mail)
            except MailRefused:
                _log.warning("a mail was not sent; given up", extra={"mail": mail.status.value})


def seen_at(connection: apsw.Connection) -> int:
    """The time that was noted last (ms since 1970 UTC); 0: never."""
    ((seen,),) = connection.execute(_SQL["seen"])
    return int(seen)


class _Kept(NamedTuple):
    """The times that the file keeps. ``identity``: of the file that is open."""

    reading: Session
    writing: Session
    writer: Writer
    identity: tuple[int, int] | None

    def checked(self) -> int | None:
        """When the whole file was checked last; None: never. Raises StoreUnavailable."""
        row = self.reading.row(_SQL["checked"])
        return int(row[0]) if row else None

    async def try_out(self) -> None:
        """Makes a transaction that writes nothing and needs no fsync. It is refused as an order would be."""
        with contextlib.suppress(OrderError):
            await self.writer.run("health", lambda: None)

    async def note(self, now: int, checked: int | None = None) -> bool:
        """Notes the time, and when the file was checked. Returns whether that is durable."""
        try:
            await self.writer.run("health", partial(self.writing.rows, _SQL["note"], (checked, now)))
        except OrderError:
            return False
        return True


def _identity(file: Path) -> tuple[int, int] | None:
    """The device and inode of the file that has this name; None: there is none, or the folder cannot be read."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _can_write(folder: Path) -> bool:
    """Whether a new file in this folder can be written."""
    room = folder / "room"
    try:
        make_private(room).write_bytes(ROOM)
    except OSError:
        return False
    finally:
        _remove(room)
    return True


def _remove(file: Path) -> None:
    """Removes a file, if it is there and can be removed."""
    with contextlib.suppress(OSError):
        file.unlink()
