"""The Python calls and files of one order: python -m scripts.trace_order [--list] [--sequence]

One ``POST /orders`` goes over HTTP on loopback, on a connection of its own, to a real server in this process: simulated
gateways, no hold. What is counted (``sys.setprofile``) is every call of a Python function whose code stands in
``src/expediter``, on the thread of the event loop, from the opening of the connection until the workflow has ended and
its last callbacks have run. Calls into libraries and into C are not counted; neither is COMMIT's own thread. A
coroutine or generator counts each time it is resumed.

Two orders are told: the first that a fresh server takes, which also loads and compiles what later ones find ready, and
a later one.

- calls: of functions of ours
- functions: different ones among them
- files: that hold these functions
- file changes: how often the called function is in another file than the call of ours before it
"""

import argparse
import asyncio
import socket
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, closing
from itertools import pairwise
from pathlib import Path
from types import CodeType, FrameType
from typing import NamedTuple

import apsw
import uvicorn

import expediter
from expediter.embedded.settings import ServerSettings, from_environment
from expediter.embedded.sqlite.database import open_reader
from expediter.embedded.web.app import create_app
from expediter.embedded.web.connections import Connections
from expediter.embedded.web.serving import configuration
from expediter.embedded.wiring import open_home

SOURCE = f"{Path(expediter.__file__).parent}/"
BODY = b'{"user_id":"Burger_20","quantity":"3","restaurant_id":"Restaurant 4"}'
REQUEST = (
    b"POST /orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
)
#: Orders on one server; the first and the last are told.
ORDERS = 4
#: Seconds after a start in which the server's own loops have their first round, and after a workflow's end in which its
#: last callbacks run.
STARTED, CALM = 0.5, 0.05
#: Seconds for all orders to end.
PATIENCE = 30


class Called(NamedTuple):
    """One call of a function of ours. ``file``: below src/expediter. ``function``: its qualified name."""

    file: str
    function: str


#: The calls of one order, in their sequence.
Calls = list[Called]


def figures(calls: Calls) -> dict[str, int]:
    """Name → count, in the order in which they are printed."""
    files = [call.file for call in calls]
    changes = sum(before != after for before, after in pairwise(files))
    return {"calls": len(calls), "functions": len(set(calls)), "files": len(set(files)), "file changes": changes}


def by_file(calls: Calls) -> Iterable[str]:
    """Lines: each file with its calls, the most first, and below it its functions with theirs."""
    functions = Counter(calls).most_common()
    for file, count in Counter(call.file for call in calls).most_common():
        yield f"{count:5}  {file}"
        yield from (f"{times:10}  {called.function}" for called, times in functions if called.file == file)


def traced() -> list[Calls]:
    """The calls of each of so many orders, on a server of their own with data that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        settings = from_environment({"EXPEDITER_DATA": folder, "EXPEDITER_HOLD_SECONDS": "0"})
        return [[_called(code) for code in calls] for calls in asyncio.run(_orders(settings))]


def _called(code: CodeType) -> Called:
    return Called(code.co_filename.removeprefix(SOURCE), code.co_qualname)


async def _orders(settings: ServerSettings) -> list[list[CodeType]]:
    async with _serving(settings) as port, asyncio.timeout(PATIENCE):
        with closing(open_reader(settings.data / "expediter.db")) as database:
            return [await _order(port, database, number) for number in range(1, ORDERS + 1)]


@asynccontextmanager
async def _serving(settings: ServerSettings) -> AsyncIterator[int]:
    """A server on a free port, as ``expediter serve`` puts it together."""
    async with open_home(settings) as home:
        app = create_app(home)
        server = uvicorn.Server(configuration(app, Connections(100), 1))
        with socket.create_server(("127.0.0.1", 0)) as listening:
            serving = asyncio.create_task(server.serve([listening]))
            await asyncio.sleep(STARTED)
            yield listening.getsockname()[1]
            server.should_exit = True
            await serving


async def _order(port: int, database: apsw.Connection, number: int) -> list[CodeType]:
    """The code of ours that is called for the order of this number, in sequence."""
    found: list[CodeType] = []

    def profile(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(SOURCE):
            found.append(frame.f_code)

    sys.setprofile(profile)
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(REQUEST)
        answer = await reader.readuntil(b"\r\n\r\n")
        if not answer.startswith(b"HTTP/1.1 204"):
            raise RuntimeError(f"the order was not accepted: {answer!r}")
        await _ended(database, number)
    finally:
        sys.setprofile(None)
    writer.close()
    return found


async def _ended(database: apsw.Connection, count: int) -> None:
    """Waits until so many orders are a success in the file, and their last callbacks have run."""
    sql = "SELECT count(*) FROM orders WHERE status = 'SUCCESS'"
    while database.execute(sql).fetchall() != [(count,)]:  # noqa: ASYNC110  # the server tells nobody outside
        await asyncio.sleep(CALM / 10)
    await asyncio.sleep(CALM)


def main(arguments: list[str]) -> None:
    """Prints what the options ask for, then the figures."""
    parser = argparse.ArgumentParser(description="Count the Python calls of one order.")
    parser.add_argument("--list", action="store_true", help="also the later order's calls by file and function")
    parser.add_argument("--sequence", action="store_true", help="also the later order's calls in sequence")
    options = parser.parse_args(arguments)
    first, *_, later = traced()
    if options.sequence:
        print(*(f"{file}  {function}" for file, function in later), sep="\n")
    if options.list:
        print(*by_file(later), sep="\n")
    print(f"{'':14}{'first order':>12}{'later order':>13}")
    for (name, count), again in zip(figures(first).items(), figures(later).values(), strict=True):
        print(f"{name:14}{count:12}{again:13}")


if __name__ == "__main__":
    main(sys.argv[1:])
