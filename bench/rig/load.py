"""A load generator that costs little: it shares the machine's cores with what it measures.

One thread, one selector, requests as ready bytes over keep-alive connections, one request under way on each. ``closed``
sends the next request when an answer came, as customers do who wait. ``opened`` sends when it was meant to, whatever
is still under way, and counts from then: an answer that keeps others waiting is counted for all of them.
"""

import gc
import os
import select
import selectors
import socket
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from typing import Protocol, runtime_checkable

import msgspec

#: Seconds without any answer after which the server is taken for stuck.
PATIENCE = 60.0
_END = b"\r\n\r\n"


class Refused(Exception):
    """An answer that is not the one that was asked for."""


class Load(msgspec.Struct, frozen=True):
    """When it began (``time.time()``), seconds from the first request to the last answer, seconds to each answer, and
    the seconds of processor time that all of this took us.
    """

    begun: float
    seconds: float
    latencies: list[float]
    cpu: float

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds

    def milliseconds(self, share: float) -> float:
        """That share of the answers came within this time."""
        return percentile(self.latencies, share) * 1000


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least ``share`` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def closed(port: int, connections: int, requests: Iterable[bytes], wanted: bytes) -> Load:
    """Sends every request over so many connections; each answer has to begin with ``wanted``. Raises Refused."""
    left, latencies = iter(requests), list[float]()
    with _connected(port, connections, selectors.DefaultSelector()) as (selector, idle), _uncollected():
        begun, start, cpu = time.time(), time.perf_counter(), time.process_time()
        sent: dict[_Connection, float] = {}
        for connection, request in zip(idle, left, strict=False):
            sent[connection] = connection.send(request)
        while sent:
            for connection, at in _arrived(selector, PATIENCE):
                latencies.append(at - sent.pop(connection))
                connection.check(wanted)
                if following := next(left, None):
                    sent[connection] = connection.send(following)
        return Load(begun, time.perf_counter() - start, latencies, time.process_time() - cpu)


def opened(port: int, connections: int, requests: Iterable[bytes], gaps: Sequence[float], wanted: bytes) -> Load:
    """Sends each request when its time has come, that many seconds after the one before; late when none of the
    connections is free, and counted from when it should have been sent. Raises Refused.
    """
    left, latencies = iter(requests), list[float]()
    with _connected(port, connections, selectors.DefaultSelector()) as (selector, every), _uncollected():
        idle, sent = deque(every), dict[_Connection, float]()
        begun, start, cpu = time.time(), time.perf_counter(), time.process_time()
        waiting = deque(start + offset for offset in accumulate(gaps))
        while waiting or sent:
            while waiting and idle and waiting[0] <= time.perf_counter():
                connection = idle.popleft()
                connection.send(next(left))
                sent[connection] = waiting.popleft()
            pause = max(0.0, waiting[0] - time.perf_counter()) if waiting and idle else PATIENCE
            for connection, at in _arrived(selector, _paused(selector, pause), patient=pause < PATIENCE):
                latencies.append(at - sent.pop(connection))
                connection.check(wanted)
                idle.append(connection)
        return Load(begun, time.perf_counter() - start, latencies, time.process_time() - cpu)


@runtime_checkable
class _HasDescriptor(Protocol):
    def fileno(self) -> int: ...


class _Connection:
    """One keep-alive connection with at most one request under way."""

    __slots__ = ("_head", "_socket", "answer")

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.answer = b""

    def fileno(self) -> int:
        return self._socket.fileno()

    def send(self, request: bytes) -> float:
        """When it was sent. A request is small and the socket's buffer empty, so it is taken whole."""
        self.answer = b""
        at = time.perf_counter()
        self._socket.sendall(request)
        return at

    def receive(self) -> bool:
        """Whether the whole answer is there. Raises Refused when the server closed the connection."""
        data = self._socket.recv(65_536)
        if not data:
            raise Refused("the server closed a connection")
        self.answer += data
        return whole(self.answer)

    def check(self, wanted: bytes) -> None:
        if not self.answer.startswith(wanted):
            raise Refused(self.answer.decode(errors="replace"))

    def close(self) -> None:
        self._socket.close()


def whole(answer: bytes) -> bool:
    """Whether a response is complete; one without Content-Length has no body."""
    head, end, body = answer.partition(_END)
    if not end:
        return False
    _, found, rest = head.lower().partition(b"content-length:")
    return len(body) >= (int(rest.split(b"\r\n", 1)[0]) if found else 0)


def _arrived(
    selector: selectors.BaseSelector, seconds: float, *, patient: bool = False
) -> Iterator[tuple[_Connection, float]]:
    """The connections whose answers are complete, and when that was seen, waiting up to ``seconds``.

    All that are ready at once arrived before the first of them is read: what reading them takes us is not the server's.
    Raises TimeoutError unless ``patient``.
    """
    ready, now = selector.select(seconds), time.perf_counter()
    if not ready and not patient:
        raise TimeoutError(f"nothing was answered for {seconds:g} seconds")
    for key, _ in ready:
        if key.data.receive():
            yield key.data, now


def _paused(selector: selectors.BaseSelector, seconds: float) -> float:
    """Waits until something arrives, at most so long; gives the seconds that the selector itself has to wait still.

    select(2) waits for microseconds, epoll only for milliseconds, which would be the server's in the figures. Asked for
    the one descriptor that stands for all of them it costs little.
    """
    if not isinstance(selector, _HasDescriptor):
        return seconds
    select.select([selector], [], [], seconds)
    return 0


@contextmanager
def _connected(
    port: int, count: int, selector: selectors.BaseSelector
) -> Iterator[tuple[selectors.BaseSelector, list[_Connection]]]:
    opened_: list[_Connection] = []
    try:
        for _ in range(count):
            opened_.append(connection := _Connection(port))
            selector.register(connection, selectors.EVENT_READ, connection)
        yield selector, opened_
    finally:
        selector.close()
        for connection in opened_:
            connection.close()


@contextmanager
def aside() -> Iterator[None]:
    """On one core of several: the system would put what sends and measures beside what it has just woken, which is the
    server, and have it wait. Does nothing where that cannot be asked for.
    """
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    if len(cores) < 2:
        yield
        return
    os.sched_setaffinity(0, {max(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the garbage collector: its pauses would be the server's in the figures."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
