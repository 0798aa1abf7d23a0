"""What one caller who sends without a pause, whatever he is answered, does to another one.

    python -m bench.fairness [--connections 2000] [--refused 300] [--seconds 4]

The first sends over many connections. The second comes from another address of loopback (Linux has several). Beside a
flood of good requests it asks over a new connection each time. Beside one of requests that are all refused, or that
anybody may send, it places orders over 16 connections, as it does alone.
"""

import argparse
import selectors
import socket
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from statistics import median
from typing import NamedTuple

from bench.floor import BODY
from bench.path import REST, post
from bench.rig.server import serving

FLOOD, OTHER = "127.0.0.1", "127.0.0.2"
READ = b"GET /orders?limit=1 HTTP/1.1\r\nHost: localhost\r\n\r\n"
REQUESTS = {"to read": READ, "to order": REST}
TOKEN = "the-token-of-this-measurement"  # noqa: S105  # of a server that lives for some seconds
ORDER = post("/orders", BODY, f"Authorization: Bearer {TOKEN}")
#: Requests that anybody can send.
REFUSED = {
    "wrong task tokens": post("/tasks/none/heartbeat", b""),
    "no token": READ,
    "wrong tokens": post("/orders", BODY, "Authorization: Bearer wrong"),
    "probes": b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "files": b"GET /console/static/none.css HTTP/1.1\r\nHost: localhost\r\n\r\n",
}
#: Connections that place orders beside these.
CONNECTIONS = 16
#: Seconds between two requests of the second caller, and for any answer.
PAUSE, PATIENCE = 0.05, 30.0


class Answers(NamedTuple):
    """How many there were of each status, and how many seconds each took."""

    statuses: Counter[str]
    seconds: list[float]


def connected(port: int, address: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), PATIENCE, (address, 0))


def asked(port: int, request: bytes, seconds: float) -> Answers:
    """What the second caller is answered over new connections."""
    found, end = Answers(Counter(), []), time.monotonic() + seconds
    while time.monotonic() < end:
        begun = time.perf_counter()
        with connected(port, OTHER) as connection:
            connection.sendall(request)
            found.statuses[status(connection.recv(4096))] += 1
        found.seconds.append(time.perf_counter() - begun)
        time.sleep(PAUSE)
    return found


def sent(port: int, address: str, request: bytes, connections: int, seconds: float) -> Counter[str]:
    """What a caller is answered who sends over so many connections without a pause."""
    selector, statuses = selectors.DefaultSelector(), Counter[str]()
    opened = [connected(port, address) for _ in range(connections)]
    for connection in opened:
        connection.setblocking(False)
        selector.register(connection, selectors.EVENT_READ, connection)
        connection.send(request)
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        for key, _ in selector.select(left):
            statuses[status(key.data.recv(8192))] += 1
            key.data.send(request)
    selector.close()
    for connection in opened:
        connection.close()
    return statuses


def status(answer: bytes) -> str:
    return answer[9:12].decode()


def beside_good_requests(other: ProcessPoolExecutor, connections: int, seconds: float) -> None:
    for what, request in REQUESTS.items():
        with serving({}) as server:
            waiting = other.submit(asked, server.port, request, seconds)
            flood = sent(server.port, FLOOD, request, connections, seconds)
            answers = waiting.result()
        middle, longest = median(answers.seconds) * 1000, max(answers.seconds) * 1000
        print(f"{what}: the other waited {middle:.0f} ms (median), {longest:.0f} ms (longest),", end=" ")
        print(f"and was answered {dict(answers.statuses)}; the flood {dict(flood)}")


def beside_refused_requests(other: ProcessPoolExecutor, connections: int, seconds: float) -> None:
    """What the flood takes of the server's processor time, and how many orders the other places."""
    for what, request in REFUSED.items():
        with serving({"TOKEN": TOKEN}) as server:
            alone = sent(server.port, OTHER, ORDER, CONNECTIONS, seconds)["204"] / seconds
            placing = other.submit(sent, server.port, OTHER, ORDER, CONNECTIONS, seconds)
            sent(server.port, FLOOD, request, connections, seconds)
            beside = placing.result()["204"] / seconds
            before = server.cpu()
            flood = sent(server.port, FLOOD, request, connections, seconds)
            taken = (server.cpu() - before) / seconds
        print(f"{what}: {taken * 1000:.0f} ms of processor time a second,", end=" ")
        print(f"orders of the other {beside:.0f} a second, alone {alone:.0f}; the flood {dict(flood)}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.fairness", description=__doc__)
    parser.add_argument("--connections", type=int, default=2_000)
    parser.add_argument("--refused", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=4.0)
    given = parser.parse_args()
    with ProcessPoolExecutor(1) as other:
        beside_good_requests(other, given.connections, given.seconds)
        beside_refused_requests(other, given.refused, given.seconds)


if __name__ == "__main__":
    main()
