"""Files with many orders that ended, written through the product's own schema: copies of one order that really did.

What a copy changes is what makes orders differ in size and place: the id, the number that its rows hang on, the
customer.
"""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apsw

from bench.path import ACCEPTED, REST
from bench.rig.load import closed
from bench.rig.server import serving
from expediter.embedded.clock import new_id
from expediter.embedded.sqlite.database import open_writer

#: Columns that hold the number of the order that a row belongs to.
NUMBERS = ("no", "order_no")
#: What orders leave behind; other tables are about the server.
TABLES = ("claim", "orders", "execution", "ledger", "mail")
#: Orders in one transaction, and customers that they are shared out among.
BATCH, CUSTOMERS = 10_000, 5_000
CUSTOMER = "Burger_20"

Rows = dict[str, tuple[list[str], list[tuple[Any, ...]]]]


def ids(kind: str) -> Callable[[], str]:
    """Makes ids as a customer's key is one (``v4``, random) or as our own are (``v7``, in order of time)."""
    return {"v4": lambda: str(uuid.uuid4()), "v7": new_id}[kind]


def fill(data: Path, orders: int, kind: str) -> None:
    """So many ended orders in a folder that a server can be started on; what it holds already counts."""
    if not (data / "expediter.db").exists():
        with serving({}, data) as server:
            closed(server.port, 1, [REST], ACCEPTED)
            server.all_ended(1)
    writer = open_writer(data / "expediter.db", synchronous="OFF")
    try:
        _copy(writer, orders, ids(kind))
        writer.pragma("wal_checkpoint(TRUNCATE)")
    finally:
        writer.close()


def _copy(writer: apsw.Connection, orders: int, new: Callable[[], str]) -> None:
    row: Any = writer.execute("SELECT max(no), (SELECT id FROM claim WHERE no = 1) FROM claim").fetchone()
    there, template = row
    rows = _rows_of(writer, 1)
    numbers = iter(range(there + 1, orders + 1))
    while batch := [number for number, _ in zip(numbers, range(BATCH), strict=False)]:
        with writer:
            fresh = {number: new() for number in batch}
            for table, (columns, found) in rows.items():
                marks = ", ".join("?" * len(columns))
                sql = f"INSERT INTO {table} VALUES ({marks})"  # noqa: S608  # our own tables
                writer.executemany(sql, _copies(columns, found, template, fresh))


def _rows_of(writer: apsw.Connection, order: int) -> Rows:
    rows: Rows = {}
    for table in TABLES:
        columns = [name for (name,) in writer.execute("SELECT name FROM pragma_table_info(?)", (table,))]
        number = next(name for name in columns if name in NUMBERS)
        rows[table] = (columns, writer.execute(f"SELECT * FROM {table} WHERE {number} = ?", (order,)).fetchall())  # noqa: S608
    return rows


def _copies(
    columns: list[str], rows: list[tuple[Any, ...]], template: str, fresh: dict[int, str]
) -> Iterator[tuple[Any, ...]]:
    place = next(index for index, name in enumerate(columns) if name in NUMBERS)
    for number, order_id in fresh.items():
        customer = f"Burger_{number % CUSTOMERS}"
        for row in rows:
            changed = [
                value.replace(template, order_id).replace(CUSTOMER, customer) if isinstance(value, str) else value
                for value in row
            ]
            changed[place] = number
            yield tuple(changed)


def size(data: Path) -> int:
    """Bytes of the database with its log."""
    return sum(file.stat().st_size for file in data.glob("expediter.db*"))
