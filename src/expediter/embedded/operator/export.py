"""Reads the orders of a data folder for an export."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from expediter.app.operator.export import ExportedOrder, StillBusy
from expediter.app.ports import OrderSettings
from expediter.embedded.operator.read_only import open_read_only
from expediter.embedded.sqlite.database import open_reader
from expediter.embedded.sqlite.session import Session, Statements, one

_SQL = Statements("export")


def exported_orders(data: Path) -> Iterator[ExportedOrder]:
    """Every order, oldest first. Raises StillBusy while an order is under way, and DataRefused."""
    with closing(open_reader(data / "expediter.db")) as connection, open_read_only(data, OrderSettings()) as view:
        session = Session(connection)
        waiting, dead, running = one(session, _SQL["busy"])
        if waiting or dead or running:
            raise StillBusy(
                f"Orders under way: {running}; waiting on the queue: {waiting}; dead letters: {dead}. Accept no more, "
                "let them end, redrive or remove the dead letters, and export again."
            )
        fingerprints: dict[str, str] = {str(row[0]): str(row[1]) for row in session.rows(_SQL["fingerprints"])}
        for order, entries in view.work.orders.with_entries():
            if not order.ended:
                raise StillBusy(
                    f"The order {order.id} is {order.status} and its workflow failed. Retry it on the console, "
                    "let it end, and export again."
                )
            yield ExportedOrder(order, entries, fingerprints[order.id])
