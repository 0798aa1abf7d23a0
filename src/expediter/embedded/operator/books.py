"""Adds up the books of a running server in a process of its own, which only reads: a million orders take a while, and
orders shall not wait for it.

    python -m expediter.embedded.operator.books DATA     prints a Report as JSON
"""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

import msgspec

from expediter.app.operator.reconcile import Report, reconcile
from expediter.app.ports import OrderSettings
from expediter.domain.errors import StoreUnavailable, TooBusy
from expediter.embedded.operator.read_only import open_read_only

#: Seconds until the process is ended, also on a machine that is busy.
PATIENCE = 300.0
#: What the process gets of the environment: what Python needs to find its libraries, and none of the settings.
_ENVIRONMENT = ("HOME", "LANG", "LC_ALL", "PATH", "PYTHONPATH", "VIRTUAL_ENV")


class Books:
    """The books in this data folder. Use it on the event loop's thread."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._adding = False

    async def add_up(self) -> Report:
        """What is committed now, added up. Raises TooBusy while somebody else has it added up, StoreUnavailable."""
        if self._adding:
            raise TooBusy
        self._adding = True
        try:
            return await _asked(self._data)
        finally:
            self._adding = False


async def _asked(data: Path) -> Report:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", __name__, str(data)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
        start_new_session=True,  # Ctrl-C at the server is not for it
    )
    try:
        async with asyncio.timeout(PATIENCE):
            said, _ = await process.communicate()
        return msgspec.json.decode(said, type=Report)
    except (TimeoutError, msgspec.DecodeError) as error:
        raise StoreUnavailable("The books could not be added up. Try again, or run expediter reconcile.") from error
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        await process.wait()


def main(data: Path) -> None:
    """Prints what the orders and the ledger add up to. Prices and currencies are each order's own."""
    with open_read_only(data, OrderSettings()) as view:
        report = reconcile(view.work.orders.with_entries())
    sys.stdout.buffer.write(msgspec.json.encode(report))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
