"""The floor: the statements that orders really cost, replayed by bare SQLite with nothing around them.

An in-process home takes orders from accept to end; every statement that its writer runs is recorded with its values.
The replay runs the same statements in the same order on a fresh file, WAL and synchronous=FULL, in commits of 100
orders' worth. What a server does on top of that is its own.
"""

import asyncio
import tempfile
import time
from contextlib import closing
from itertools import groupby
from operator import itemgetter
from typing import Any, cast

import apsw

from bench.rig.server import workplace
from expediter.app import intake
from expediter.app.drafts import Draft, parse
from expediter.app.ports import Caller, Work
from expediter.embedded.clock import new_id
from expediter.embedded.home import Home
from expediter.embedded.settings import from_environment
from expediter.embedded.sqlite.database import open_reader, open_writer
from expediter.embedded.sqlite.session import Value
from expediter.embedded.wiring import open_home

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
                with closing(open_reader(settings.data / "expediter.db")) as reader:
                    while _succeeded(reader) < ORDERS:  # noqa: ASYNC110  # the home tells nobody that it is idle
                        await asyncio.sleep(0.01)
                self._writers[0].exec_trace = None

    def _note(self, _: apsw.Cursor, sql: str, values: object) -> bool:
        self._statements.append((sql, cast(Values, values or ())))
        return True


async def _accepted(home: Home) -> None:
    order_id = new_id()

    def accept(work: Work) -> object:
        return intake.accept(work, Caller(), parse(BODY, Draft), order_id)

    await home.write(accept, "accept")


def _succeeded(connection: apsw.Connection) -> int:
    rows: list[tuple[Any, ...]] = connection.execute("SELECT count(*) FROM orders WHERE status = 'SUCCESS'").fetchall()
    return int(rows[0][0])


def grouped(statements: list[Statement]) -> list[tuple[str, list[Values]]]:
    """The same statement run again and again is run at once with all its values, which is the fastest there is."""
    return [(sql, [values for _, values in run]) for sql, run in groupby(statements, key=itemgetter(0))]


def apart(statements: list[Statement]) -> list[tuple[str, list[Values]]]:
    return [(sql, [values]) for sql, values in statements]


def replayed(statements: list[Statement], *, singly: bool = False) -> float:
    """Orders a second of the replay; ``singly``: each statement by itself."""
    together = apart if singly else grouped
    with workplace() as folder:
        connection = open_writer(folder / "floor.db")
        connection.pragma("foreign_keys", False)
        batch = len(statements) * BATCH // ORDERS
        commits = [together(statements[start : start + batch]) for start in range(0, len(statements), batch)]
        begin = time.perf_counter()
        for commit in commits:
            connection.execute("BEGIN IMMEDIATE")
            for sql, values in commit:
                connection.executemany(sql, values).fetchall()
            connection.execute("COMMIT")
        seconds = time.perf_counter() - begin
        succeeded = _succeeded(connection)
        connection.close()
    if succeeded != ORDERS:
        raise RuntimeError(f"the replay is not what happened: {succeeded} of {ORDERS} orders are there")
    return ORDERS / seconds
