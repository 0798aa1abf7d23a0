"""The load generator: what it counts as an answer, and from when it counts."""

import os
import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import repeat

import pytest

from bench.rig.load import Refused, _arrived, aside, closed, opened, percentile, whole

REQUEST = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Mailed:
    """A connection whose answer is read by the selector's user."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def receive(self) -> bool:
        return whole(self._end.recv(65_536))


@contextmanager
def answering(answer: bytes) -> Iterator[int]:
    """A server that gives one answer to everything; its port."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:

        def talk(connection: socket.socket) -> None:
            with connection, suppress(ConnectionError):
                while connection.recv(65_536):
                    connection.sendall(answer)

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=talk, args=(connection,), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    ("answer", "complete"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", True),
        (b"HTTP/1.1 204 No Content\r\n", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", True),
    ],
)
def test_an_answer_is_complete_with_its_head_and_all_of_its_body(answer: bytes, complete: bool) -> None:
    assert whole(answer) is complete


def test_every_request_is_answered_once_over_however_many_connections() -> None:
    with answering(ANSWER) as port:
        load = closed(port, 4, repeat(REQUEST, 50), b"HTTP/1.1 200")

    assert len(load.latencies) == 50
    assert load.rate == pytest.approx(50 / load.seconds)


def test_fewer_requests_than_connections_are_sent_once_too() -> None:
    with answering(ANSWER) as port:
        assert len(closed(port, 8, repeat(REQUEST, 3), b"HTTP/1.1 200").latencies) == 3


def test_an_answer_that_was_not_wanted_ends_the_measurement() -> None:
    with answering(b"HTTP/1.1 503 Service Unavailable\r\n\r\n") as port, pytest.raises(Refused, match="503"):
        closed(port, 2, repeat(REQUEST, 10), b"HTTP/1.1 204")


def test_the_open_loop_counts_from_the_intended_send_also_while_every_connection_is_busy() -> None:
    with answering(ANSWER) as port:
        load = opened(port, 1, repeat(REQUEST), [0.0] * 40, b"HTTP/1.1 200")

    assert len(load.latencies) == 40
    assert load.latencies == sorted(load.latencies)  # each waited for all before it
    assert load.latencies[-1] >= 0.9 * load.seconds


def test_the_open_loop_sends_nothing_before_its_time() -> None:
    with answering(ANSWER) as port:
        load = opened(port, 4, repeat(REQUEST), [0.05] * 4, b"HTTP/1.1 200")

    assert load.seconds >= 0.2


def test_answers_that_are_there_at_once_arrived_at_once() -> None:
    with selectors.DefaultSelector() as selector:
        pairs = [socket.socketpair() for _ in range(3)]
        for ours, theirs in pairs:
            theirs.sendall(ANSWER)
            selector.register(ours, selectors.EVENT_READ, Mailed(ours))

        arrived = list(_arrived(selector, 1))

        assert len(arrived) == 3
        assert len({at for _, at in arrived}) == 1
        for both in pairs:
            for end in both:
                end.close()


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system does not let a process choose its core")
def test_what_measures_keeps_to_one_core_and_gives_the_others_back() -> None:
    before = os.sched_getaffinity(0)
    with aside():
        assert len(os.sched_getaffinity(0)) == 1

    assert os.sched_getaffinity(0) == before


def test_a_percentile_is_one_of_the_values() -> None:
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert percentile([1.0, 2.0], 0.99) == 2.0
