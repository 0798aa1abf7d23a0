"""Reconciles orders and ledger of a running server in a process of its own, which only reads.

A million orders take a while, and new orders must not wait for that.

    python -m expediter.embedded.operator.reconciler DATA     prints a Report as JSON
"""

import asyncio
import sys
from pathlib import Path

import msgspec

from expediter.app.operator.reconcile import Report, reconcile
from expediter.app.ports import OrderSettings
from expediter.domain.errors import StoreUnavailable, TooBusy
from expediter.embedded.child_process import running
from expediter.embedded.operator.read_only import open_read_only

#: Seconds after which the process is ended, also on a busy machine.
PATIENCE = 300.0


class Reconciler:
    """Reconciles this data folder. Use it on the event loop's thread."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._running = False

    async def report(self) -> Report:
        """The report on what is committed now. Raises TooBusy while another reconciliation runs, and
        StoreUnavailable.
        """
        if self._running:
            raise TooBusy
        self._running = True
        try:
            return await _asked(self._data)
        finally:
            self._running = False


async def _asked(data: Path) -> Report:
    async with running(__name__, str(data)) as process:
        try:
            async with asyncio.timeout(PATIENCE):
                said, _ = await process.communicate()
            return msgspec.json.decode(said, type=Report)
        except (TimeoutError, msgspec.DecodeError) as error:
            raise StoreUnavailable(
                "Orders and ledger could not be compared. Try again, or run expediter reconcile."
            ) from error


def main(data: Path) -> None:
    """Prints the report. Each order has its own prices and currency."""
    with open_read_only(data, OrderSettings()) as view:
        report = reconcile(view.work.orders.with_entries())
    sys.stdout.buffer.write(msgspec.json.encode(report))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
