"""``make bench-scale``: many orders in the hold, and many that ended long ago; JSON is kept.

    python -m bench.scale hold   [--orders 100000]                  about ten minutes; needs Linux's /proc
    python -m bench.scale stored [--orders 1000000] [--rounds 3]    about ten minutes; needs 8 GB of disk

``hold``: every order waits at the same time; the server's memory and its processor time while nothing happens but an
open page with the list of orders; then all holds end, once as they come and once all at the same moment, as after
the machine stood still. ``stored``: what an order costs a server whose file holds many, beside one that holds few; in
turns, with ids that customers chose (UUIDv4) and with our own (UUIDv7).
"""

import argparse
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, track

from bench import stored
from bench.__main__ import begun, keep
from bench.path import ACCEPTED, REST, accept_to_end, keyed
from bench.reporting import report
from bench.reporting.figures import Results
from bench.rig.load import closed, percentile
from bench.rig.server import Server, serving, workplace
from expediter.embedded.sqlite.database import open_reader

CONNECTIONS = 64
#: Seconds that the idle server is watched.
IDLE = 60.0
#: Stored orders that others are compared with, and orders placed to measure.
FEW, PLACED = 10_000, 5_000
_WAITING = "SELECT count(*) FROM orders WHERE status = 'PAID'"
_LATE = """SELECT json_extract(body, '$.updated_at') - json_extract(body, '$.created_at') FROM orders
WHERE status = 'SUCCESS'"""


def main() -> None:
    given = _options().parse_args()
    screen = Console(highlight=False, soft_wrap=True)
    results = begun(given.what)
    if given.what == "hold":
        for halted in (False, True):
            hold(results, given.orders or 100_000, halted)
    else:
        with workplace() as folder:
            many_stored(results, folder, given.orders or 1_000_000, given.rounds)
    for line in report.lines(results):
        screen.print(line, markup=False)
    screen.print(f"\nKept in {keep(results)}")


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench.scale", description="Many orders at once, and many in store."
    )
    parser.add_argument("what", choices=("hold", "stored"))
    parser.add_argument("--orders", type=int, default=0, help="that wait (100000), or that are stored (1000000)")
    parser.add_argument("--rounds", type=int, default=3, help="of stored: times that everything is measured (3)")
    return parser


# ── many in the hold ──────────────────────────────────────────────────────────────────────────────────────────────


def hold(results: Results, orders: int, halted: bool) -> None:
    """``halted``: the server stands still until every hold has ended, so all are due at once.

    The hold is as long as the machine, in a trial, needs to take all orders in, and then some.
    """
    name = "halted" if halted else "hold"
    seconds = int(2 * orders / accept_to_end(CONNECTIONS, 3).completed + IDLE + 30)
    results.settings["hold"] = f"{orders:,} orders, hold of {seconds} seconds"
    with serving({"HOLD_SECONDS": str(seconds)}) as server:
        begin = time.time()
        load = closed(server.port, CONNECTIONS, track([REST] * orders, f"{orders:,} orders"), ACCEPTED)
        until(server, orders, begin + seconds)
        results.add(f"{name}_accepts", load.rate)
        results.add(f"{name}_memory", server.memory())
        with stream(server.port):
            if not halted:
                results.add("idle_cpu", 100 * idle(server, begin + seconds))
            if halted:
                server.process.send_signal(signal.SIGSTOP)
                time.sleep(max(0.0, load.begun + load.seconds + seconds - time.time()) + 1)
                server.process.send_signal(signal.SIGCONT)
            resumed = time.time()
            ended = server.all_ended(orders, patience=seconds + 600)
        results.add(f"{name}_peak", server.memory("VmHWM"))
        late = late_by(server.data, seconds)
    if halted:
        results.add("halted_drain", orders / (ended - resumed))
    else:
        results.add("late_p50", percentile(late, 0.5))
        results.add("late_p99", percentile(late, 0.99))
        results.add("late_most", max(late))


def until(server: Server, orders: int, deadline: float) -> None:
    """Waits until so many orders are in the hold. Raises RuntimeError when the first would leave it before."""
    connection = open_reader(server.data / "expediter.db")
    try:
        while connection.execute(_WAITING).fetchall() != [(orders,)]:
            if time.time() > deadline:
                raise RuntimeError("Not every order was in the hold at the same time: the machine became slower.")
            time.sleep(0.5)
    finally:
        connection.close()


def idle(server: Server, deadline: float) -> float:
    """The server's share of one core while nothing happens."""
    if time.time() + IDLE + 5 > deadline:
        raise RuntimeError("The first hold would end while the server is watched: the machine became slower.")
    time.sleep(2)  # what the last orders left to do is done
    before, begin = server.cpu(), time.perf_counter()
    time.sleep(IDLE)
    return (server.cpu() - before) / (time.perf_counter() - begin)


@contextmanager
def stream(port: int) -> Iterator[None]:
    """An open page with the list of orders: its event stream, read as it comes."""
    with socket.create_connection(("127.0.0.1", port)) as page:
        page.sendall(b"GET /console/live/orders HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n")
        if b" 200 " not in page.recv(65_536):
            raise RuntimeError("the event stream was refused")

        def read() -> None:
            with suppress(OSError):
                while page.recv(65_536):
                    pass

        threading.Thread(target=read, daemon=True).start()
        yield
        page.shutdown(socket.SHUT_RDWR)


def late_by(data: Path, seconds: int) -> list[float]:
    """Seconds from the end of each order's hold, counted from its accept, to its own end."""
    connection = open_reader(data / "expediter.db")
    try:
        return [taken / 1000 - seconds for (taken,) in connection.execute(_LATE)]
    finally:
        connection.close()


# ── many in store ─────────────────────────────────────────────────────────────────────────────────────────────────


def many_stored(results: Results, folder: Path, many: int, rounds: int) -> None:
    columns = (TextColumn("{task.description:28}"), BarColumn(), TimeElapsedColumn())
    places = [(kind, count) for kind in ("v4", "v7") for count in (FEW, many)]
    with Progress(*columns) as bar:
        task = bar.add_task("", total=len(places) * (1 + rounds))
        for kind, count in places:
            bar.update(task, description=f"writing {count:,} orders, {kind}")
            stored.fill(folder / f"{kind}-{count}", count, kind)
            bar.advance(task)
        for number in range(rounds):
            for kind, count in places:
                bar.update(task, description=f"round {number + 1}: {count:,}, {kind}")
                one_store(results, folder / f"{kind}-{count}", kind, "few" if count == FEW else "many")
                bar.advance(task)


def one_store(results: Results, data: Path, kind: str, name: str) -> None:
    """Places orders on top of what is stored."""
    requests = keyed if kind == "v4" else lambda count: [REST] * count
    before = stored.size(data)
    begin = time.perf_counter()
    with serving({}, data) as server:
        results.add(f"start.{kind}.{name}", time.perf_counter() - begin)
        closed(server.port, CONNECTIONS, requests(300), ACCEPTED)
        server.all_ended(300)
        cpu, start = server.cpu(), time.perf_counter()
        closed(server.port, CONNECTIONS, requests(PLACED), ACCEPTED)
        server.all_ended(300 + PLACED)
        results.add(f"store.{kind}.{name}", PLACED / (time.perf_counter() - start))
        results.add(f"store_cpu.{kind}.{name}", 1e6 * (server.cpu() - cpu) / PLACED)
    results.add(f"store_bytes.{kind}.{name}", (stored.size(data) - before) / (300 + PLACED))


if __name__ == "__main__":
    main()
