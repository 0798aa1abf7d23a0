"""Deletes the workflow histories and the mails of orders that ended long ago.

Rules:
 - the order, its claim (with the idempotency key), its tombstone, its ledger and the audit are kept for good;
 - a workflow keeps everything while it runs, while it waits for an operator after an error, and while a mail of its
   order is still to be sent;
 - each round prunes a few rows in one unit of work, so an order on its way waits for one such unit at most;
 - a pass begins at the oldest execution, also after a restart. Rows that were pruned before are passed quickly.

The file does not shrink. SQLite writes the next orders into the pages that became free.
"""

from functools import partial
from typing import NamedTuple

import msgspec

from expediter.embedded.clock import Clock
from expediter.embedded.loop import Loop
from expediter.embedded.sqlite.access import DatabaseAccess, complete
from expediter.embedded.sqlite.session import Session, Statements, one

#: Executions that one round reads, and that it prunes, at most: 100 a second, eight million a day.
LOOK, ROWS = 200, 25
#: Milliseconds of rest after each round, and after the last one until it begins again at the oldest.
REST, PASS = 250, 3_600_000
DAY = 86_400_000

_SQL = Statements("retention")


class _Event(msgspec.Struct):
    at: int


class _Round(NamedTuple):
    """Executions to prune, and whether there are more behind them that may be old enough."""

    old: list[int]
    more: bool


class Retention(Loop):
    """Histories and mails are kept for ``days`` after the end of a workflow."""

    def __init__(self, database: DatabaseAccess, clock: Clock, days: int) -> None:
        super().__init__("retention", clock, PASS)
        self._reading, self._writing, self._writer = database
        self._age = days * DAY
        #: The number of the last execution that this pass looked at.
        self._at = 0

    async def one_round(self, now: int) -> int:
        """Prunes the old executions among the next rows."""
        found = self._look(now - self._age)
        if found.old:
            await complete(self._writer, "prune", partial(prune, self._writing, found.old))
        if not found.more:
            self._at = 0
        return now + (REST if found.more else PASS)

    def _look(self, before: int) -> _Round:
        """The next executions that ended ``before``. Numbers rise with time, so the first execution that began later
        ends the pass.
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
        """Whether the execution ended ``before`` and cannot be redriven."""
        nested, history = one(self._reading, _SQL["history"], (no,))
        last = msgspec.json.decode(history.rstrip("\n").rpartition("\n")[2], type=_Event)
        return (status == "SUCCEEDED" or bool(nested)) and last.at <= before


def prune(writing: Session, executions: list[int]) -> None:
    """In a unit of work: deletes the histories and the mails of executions that have ended."""
    for no in executions:
        row = writing.row(_SQL["take_out"], (no,))
        if row:
            writing.rows(_SQL["put_back"], (no, *row))
            writing.rows(_SQL["drop_mails"], (no,))
