"""What one caller with thousands of connections does to another one.

    python -m bench.fairness [--connections 2000] [--seconds 4]

The first sends over all his connections without a pause, whatever he is answered. The second comes from another address
of loopback (Linux has several), and asks over a new connection each time.
"""

import argparse
import selectors
import socket
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from statistics import median
from typing import NamedTuple

from bench.path import REST
from bench.rig.server import serving

FLOOD, OTHER = "127.0.0.1", "127.0.0.2"
REQUESTS = {"to read": b"GET /orders?limit=1 HTTP/1.1\r\nHost: localhost\r\n\r\n", "to order": REST}
#: Seconds between two requests of the second caller, and for any answer.
PAUSE, PATIENCE = 0.05, 30.0


class Answers(NamedTuple):
    """How many there were of each status, and how many seconds each took."""

    statuses: Counter[str]
    seconds: list[float]


def connected(port: int, address: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), PATIENCE, (address, 0))


def asked(port: int, request: bytes, seconds: float) -> Answers:
    """What the second caller is answered."""
    found, end = Answers(Counter(), []), time.monotonic() + seconds
    while time.monotonic() < end:
        begun = time.perf_counter()
        with connected(port, OTHER) as connection:
            connection.sendall(request)
            found.statuses[status(connection.recv(4096))] += 1
        found.seconds.append(time.perf_counter() - begun)
        time.sleep(PAUSE)
    return found


def flooded(port: int, request: bytes, connections: int, seconds: float) -> Counter[str]:
    """The first caller sends without a pause; what he is answered."""
    selector, statuses = selectors.DefaultSelector(), Counter[str]()
    opened = [connected(port, FLOOD) for _ in range(connections)]
    for connection in opened:
        connection.setblocking(False)
        selector.register(connection, selectors.EVENT_READ, connection)
        connection.send(request)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for key, _ in selector.select(PATIENCE):
            statuses[status(key.data.recv(8192))] += 1
            key.data.send(request)
    selector.close()
    for connection in opened:
        connection.close()
    return statuses


def status(answer: bytes) -> str:
    return answer[9:12].decode()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.fairness", description=__doc__)
    parser.add_argument("--connections", type=int, default=2_000)
    parser.add_argument("--seconds", type=float, default=4.0)
    given = parser.parse_args()
    with ProcessPoolExecutor(1) as other:
        for what, request in REQUESTS.items():
            with serving({}) as server:
                waiting = other.submit(asked, server.port, request, given.seconds)
                flood = flooded(server.port, request, given.connections, given.seconds)
                answers = waiting.result()
            middle, longest = median(answers.seconds) * 1000, max(answers.seconds) * 1000
            print(f"{what}: the other waited {middle:.0f} ms (median), {longest:.0f} ms (longest),", end=" ")
            print(f"and was answered {dict(answers.statuses)}; the flood {dict(flood)}")


if __name__ == "__main__":
    main()
