"""The floor: the statements that orders really cost, replayed by bare SQLite with nothing around them.

An in-process home takes orders from accept to end; every statement that its writer runs is recorded with its values.
The replay runs the same statements in the same order on a fresh file, WAL and synchronous=FULL, in commits of 100
orders' worth. What a server does on top of that is its own.
"""

import asyncio
import tempfile
import time
from itertools import groupby
from operator import itemgetter
from typing import cast

import apsw

from bench.server import workplace
from expediter.app import orders
from expediter.app.drafts import Draft, parse
from expediter.app.ports import Caller, Work
from expediter.embedded.clock import new_id
from expediter.embedded.database import Value, open_writer
from expediter.embedded.settings import from_environment
from expediter.embedded.wiring import Home, open_home

BODY = b'{"user_id":"Burger_20","quantity":"3","restaurant_id":"Restaurant 4"}'
#: Orders recorded, and orders in one commit of the replay.
ORDERS, BATCH = 2_000, 100
#: They belong to how the writer forms units, not to what an order writes.
_UNITS = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK", "PRAGMA")

Values = tuple[Value, ...]
Statement = tuple[str, Values]


class Recording:
    """What the writer of a home ran for ``ORDERS`` orders."""

    def __init__(self) -> None:
        self._statements: list[Statement] = []
        self._writers: list[apsw.Connection] = []
        apsw.connection_hooks.append(self._opened)
        try:
            asyncio.run(self._place())
        finally:
            apsw.connection_hooks.remove(self._opened)
        self.statements = [each for each in self._statements if not each[0].startswith(_UNITS)]

    def _opened(self, connection: apsw.Connection) -> None:
        self._writers.append(connection)  # the home opens its writer first

    async def _place(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            settings = from_environment({"EXPEDITER_DATA": folder, "EXPEDITER_HOLD_SECONDS": "0"})
            async with open_home(settings) as home:
                self._writers[0].exec_trace = self._note
                for _ in range(ORDERS // BATCH):
                    await asyncio.gather(*(_accepted(home) for _ in range(BATCH)))
                while not _all_ended(home):  # noqa: ASYNC110  # the home tells nobody that it is idle
                    await asyncio.sleep(0.01)
                self._writers[0].exec_trace = None

    def _note(self, _: apsw.Cursor, sql: str, values: object) -> bool:
        self._statements.append((sql, cast(Values, values or ())))
        return True


async def _accepted(home: Home) -> None:
    order_id = new_id()

    def accept(work: Work) -> object:
        return orders.accept(work, Caller(), parse(BODY, Draft), order_id)

    await home.write(accept, "accept")


def _all_ended(home: Home) -> bool:
    return b"expediter_workflows_running 0.0" in home.metrics() and b"queue_messages 0.0" in home.metrics()


def grouped(statements: list[Statement]) -> list[tuple[str, list[Values]]]:
    """The same statement run again and again is run at once with all its values, which is the fastest there is."""
    return [(sql, [values for _, values in run]) for sql, run in groupby(statements, key=itemgetter(0))]


def replayed(statements: list[Statement]) -> float:
    """Orders a second of the replay."""
    with workplace() as folder:
        connection = open_writer(folder / "floor.db")
        connection.pragma("foreign_keys", False)
        batch = len(statements) * BATCH // ORDERS
        commits = [grouped(statements[start : start + batch]) for start in range(0, len(statements), batch)]
        begin = time.perf_counter()
        for commit in commits:
            connection.execute("BEGIN IMMEDIATE")
            for sql, values in commit:
                connection.executemany(sql, values).fetchall()
            connection.execute("COMMIT")
        seconds = time.perf_counter() - begin
        ((succeeded,),) = connection.execute("SELECT count(*) FROM orders WHERE status = 'SUCCESS'").fetchall()
        connection.close()
    if succeeded != ORDERS:
        raise RuntimeError(f"the replay is not what happened: {succeeded} of {ORDERS} orders are there")
    return ORDERS / seconds
