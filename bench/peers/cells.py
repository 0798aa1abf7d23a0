"""What the program of every peer does in the same way: clients in a closed loop, orders sent at once, what it cost.

Only the standard library: it runs in each peer's own virtualenv.

A cell is (``run`` or ``send``, clients). ``run``: each client starts an order and waits for its result before the next.
``send``: each waits only until the order is durably started, and the clock stops when the last one has ended: this is
how our own path is measured.
"""

import argparse
import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable
from itertools import count
from pathlib import Path

#: (how, clients) of every cell.
CELLS = (("run", 1), ("run", 8), ("run", 32), ("run", 100), ("send", 32))
TICKS = os.sysconf("SC_CLK_TCK")
#: The order of everybody's job.
ORDER = {"user_id": "Burger_20", "name": "Burger", "quantity": 3, "restaurant_id": "Restaurant 4", "total": 3000}

numbers = count(1)

Client = Callable[[int], Awaitable[None]]
"""Takes one order, of this number, to where the cell wants it; raises if it did not get there."""


async def closed(client: Client, clients: int, seconds: float) -> dict[str, float]:
    """So many clients for so long; orders a second, and processor milliseconds per order of every process of ours."""
    done, before, begin = 0, cpu(), time.perf_counter()
    deadline = begin + seconds

    async def loop() -> None:
        nonlocal done
        while time.perf_counter() < deadline:
            await client(next(numbers))
            done += 1

    await asyncio.gather(*(loop() for _ in range(clients)))
    return figures(done, time.perf_counter() - begin, before)


async def sent(send: Client, result: Client, clients: int, orders: int) -> dict[str, float]:
    """``orders`` orders started by so many clients, and then waited for."""
    before, begin = cpu(), time.perf_counter()
    mine = [next(numbers) for _ in range(orders)]
    left = iter(mine)

    async def loop() -> None:
        for number in left:
            await send(number)

    await asyncio.gather(*(loop() for _ in range(clients)))
    await asyncio.gather(*(result(number) for number in mine))
    return figures(orders, time.perf_counter() - begin, before)


async def measure(run: Client, send: Client, result: Client) -> None:
    """Every cell in turn, after a few orders that do not count; a line of JSON for each."""
    given = options()
    await closed(run, 4, given.seconds / 4)
    best = 1.0
    for how, clients in CELLS:
        if how == "run":
            found = await closed(run, clients, given.seconds)
            best = max(best, found["rate"])
        else:
            found = await sent(send, result, clients, max(clients, int(best * given.seconds)))
        print(json.dumps({"how": how, "clients": clients, **found}), flush=True)


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True, help="for the peer's data; on a real disk")
    parser.add_argument("--seconds", type=float, default=4.0, help="of one cell")
    parser.add_argument("--partitions", type=int, default=1, help="of Restate's log")
    return parser.parse_args()


def figures(orders: int, seconds: float, before: float) -> dict[str, float]:
    return {"rate": orders / seconds, "cpu_ms": (cpu() - before) / max(1, orders) * 1000}


def cpu() -> float:
    """Seconds of processor time of every process in our session: the program and the servers it started."""
    session, total = os.getsid(0), 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        if int(fields[3]) == session:
            total += int(fields[11]) + int(fields[12])
    return total / TICKS
