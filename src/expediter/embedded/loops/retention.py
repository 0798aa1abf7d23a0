"""Takes away what nobody needs of orders that ended long ago: their workflow's history and their mails.

Rules:
 - the order, its claim (so its idempotency key), its tombstone, its ledger and the audit stay for good;
 - a workflow that runs, or ended in an error and waits for an operator, keeps everything; so does one with a mail that
   is still to be sent;
 - it goes through the table a few rows at a time, with a rest after each, in units of its own: an order on its way
   waits for one such unit at most;
 - nothing is remembered: whoever starts again begins at the oldest, and rows that were pruned are passed quickly.

The file does not shrink. SQLite keeps the pages that became free and writes the next orders into them.
"""

import asyncio
import logging
from typing import NamedTuple

import msgspec

from expediter.domain.errors import StoreUnavailable
from expediter.embedded.clock import Clock
from expediter.embedded.sqlite.database import Session, Statements
from expediter.embedded.sqlite.writer import Writer

#: Executions that one round looks at, and that it prunes, at most: 100 a second, eight million a day.
LOOK, ROWS = 200, 25
#: Milliseconds of rest after each round, and after the last one until it begins again at the oldest.
REST, PASS = 250, 3_600_000
DAY = 86_400_000

_SQL = Statements("retention")
_log = logging.getLogger("expediter.retention")


class _Event(msgspec.Struct):
    at: int


class _Round(NamedTuple):
    """Executions to prune, and whether there are more behind them that may be old enough."""

    old: list[int]
    more: bool


class Retention:
    """``days``: how long histories are kept after the end. ``reading`` only reads, ``writing`` is used inside units."""

    def __init__(self, reading: Session, writing: Session, writer: Writer, clock: Clock, days: int) -> None:
        self._reading = reading
        self._writing = writing
        self._writer = writer
        self._clock = clock
        self._age = days * DAY
        self._at = 0
        self._wake = asyncio.Event()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="retention")

    async def stop(self) -> None:
        """Ends after the round under way."""
        self._stopping = True
        self._wake.set()
        if self._task:
            await self._task

    async def _run(self) -> None:
        while not self._stopping:
            now = self._clock.now()
            try:
                rest = await self._round(now)
            except StoreUnavailable as error:
                _log.warning("old histories could not be pruned; trying again in an hour (%s)", type(error.__cause__))
                rest = PASS
            await self._clock.wait_until(now + rest, self._wake)

    async def _round(self, now: int) -> int:
        """Prunes what is old among the next rows; milliseconds until the next round."""
        found = self._look(now - self._age)
        if found.old:
            await self._prune(found.old)
        if not found.more:
            self._at = 0
        return REST if found.more else PASS

    def _look(self, before: int) -> _Round:
        """Executions behind the last one looked at that ended ``before``. Numbers rise with time: the first execution
        that began later ends the pass.
        """
        rows = self._reading.rows(_SQL["page"], (self._at, LOOK))
        old = list[int]()
        for no, status, kept, started_at in rows:
            if kept and started_at > before:
                return _Round(old, more=False)
            if kept and self._over(no, status, before):
                old.append(no)
            self._at = no
            if len(old) == ROWS:
                return _Round(old, more=True)
        return _Round(old, more=len(rows) == LOOK)

    def _over(self, no: int, status: str, before: int) -> bool:
        """Whether the execution ended ``before`` and nobody can set it going again."""
        nested, history = self._reading.one(_SQL["history"], (no,))
        last = msgspec.json.decode(history.rstrip("\n").rpartition("\n")[2], type=_Event)
        return (status == "SUCCEEDED" or bool(nested)) and last.at <= before

    async def _prune(self, old: list[int]) -> None:
        """Raises StoreUnavailable."""
        pruned: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def done(_: object, error: Exception | None) -> None:
            if error is None:
                pruned.set_result(None)
            else:
                pruned.set_exception(error)

        self._writer.submit("prune", lambda: prune(self._writing, old), done)
        await pruned


def prune(writing: Session, executions: list[int]) -> None:
    """Inside a unit: takes away history and mails of executions that have ended."""
    for no in executions:
        row = writing.row(_SQL["take_out"], (no,))
        if row:
            writing.rows(_SQL["put_back"], (no, *row))
            writing.rows(_SQL["drop_mails"], (no,))
    writing.forget()
