"""Fair shares of connections: who has many makes room for everybody else."""

import pytest

from expediter.domain.errors import OrderError
from expediter.embedded.web.connections import Connections

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Line:
    """A connection that somebody at an address holds open."""

    def __init__(self, peer: str) -> None:
        self.peer = peer
        self.told = ""
        self.waiting = False

    @property
    def given_up(self) -> bool:
        return bool(self.told)

    def give_up(self, error: OrderError, /) -> None:
        self.told = error.name


def idle(connections: Connections, peer: str, count: int) -> list[Line]:
    """Connections that owe us a request, the first one longest."""
    lines = [Line(peer) for _ in range(count)]
    for line in lines:
        connections.opened(line)
        connections.owes(line)
    return lines


async def test_who_has_the_most_connections_makes_room_for_everybody_else() -> None:
    connections = Connections(10)
    first = idle(connections, "192.0.2.1", 1)
    many = idle(connections, "203.0.113.1", 9)
    idle(connections, "192.0.2.2", 1)
    assert [line.given_up for line in many] == [True] + [False] * 8
    assert not first[0].given_up

    more = idle(connections, "203.0.113.1", 3)
    assert [line.given_up for line in many] == [True] * 4 + [False] * 5
    assert not any(line.given_up for line in (*first, *more))
    assert len(connections) == 10


async def test_a_caller_with_too_many_that_are_all_busy_gets_no_more_and_takes_nobodys() -> None:
    connections = Connections(10)
    others = idle(connections, "192.0.2.1", 2)
    for _ in range(8):
        connections.opened(Line("2001:db8::1"))
    late = Line("2001:db8::2")  # of the same /64
    connections.opened(late)

    assert late.told == "TooManyRequests"
    assert not any(line.given_up for line in others)


async def test_among_equal_callers_the_longest_idle_connection_is_closed() -> None:
    connections = Connections(4)
    lines = [idle(connections, f"192.0.2.{number}", 1)[0] for number in range(5)]

    assert [line.told for line in lines] == ["TooBusy", "", "", "", ""]


async def test_a_connection_that_closes_twice_is_counted_once() -> None:
    connections = Connections(2)
    (line,) = idle(connections, "192.0.2.1", 1)
    connections.closed(line)
    connections.closed(line)

    assert not connections._of
