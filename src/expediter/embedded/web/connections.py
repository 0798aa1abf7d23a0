"""Limits of connections, and the order in which requests are read, so that no client can keep the others out.

Rules:
 - a client has PATIENCE seconds to send its next whole request, and as many to read what was sent to it. A connection
   whose client sends a byte a second, or reads nothing, is closed;
 - requests that are not yet whole hold at most HELD bytes in all;
 - when no descriptor is left for a new connection, an old one is closed: the one whose client is longest overdue with a
   request or with reading. Callers with more than a fair share lose theirs first. A fair share is the number of
   connections divided by the number of callers;
 - in one turn of the event loop each caller has so many requests read, and no more. Without this a caller with a
   thousand connections has a thousand requests in every turn, and everybody else's wait until they are answered. What
   is over waits in a queue of its caller, and the next turns begin with it.
"""

import asyncio
from collections import Counter, deque
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from itertools import islice, takewhile
from typing import Protocol

from expediter.api.errors import RequestTooSlow, TooManyRequests
from expediter.domain.errors import OrderError, TooBusy

#: Seconds that a client has to send the rest of a request, or to read what was sent to it.
PATIENCE = 30.0
#: Bytes of all requests that are not yet whole.
HELD = 64 * 1024 * 1024
#: Seconds after which a caller with more than a fair share may try again.
RETRY = 10
#: How many of the longest overdue connections are looked at to find one to close.
LOOKED_AT = 1_000
#: Requests of one caller in one turn: as many as one commit holds. One that is refused with 429 counts as so many: it
#: brings nothing, and who floods the server is refused most of the time.
IN_A_TURN, REFUSED = 128, 8
#: Bits of an IPv6 address that name the subscriber. He chooses the other bits himself (RFC 6177).
SUBSCRIBER = 64


class Connection(Protocol):
    """A connection, as the limits see it. ``peer``: the address at its other end. ``waiting``: its request has not had
    its turn yet, which is not its client's fault.
    """

    peer: str
    waiting: bool

    def give_up(self, error: OrderError, /) -> None:
        """Closes it. The client gets the error if it has begun a request, or waits for an answer."""


class Waiting(Protocol):
    """A connection whose request waits for its turn."""

    def turn(self) -> None:
        """Reads what it has."""


class FairQueue:
    """Use it on the event loop's thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        #: Requests of each caller in this turn.
        self._taken: Counter[str] = Counter()
        self._waiting: dict[str, deque[Waiting]] = {}
        self._scheduled = False

    def __len__(self) -> int:
        """The requests that wait."""
        return sum(map(len, self._waiting.values()))

    def take(self, caller: str) -> bool:
        """Whether one more request of this caller may be read in this turn. Else it has to ``wait``."""
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._next_turn)
        taken = self._taken[caller] = self._taken[caller] + 1
        return taken <= IN_A_TURN and caller not in self._waiting

    def refused(self, caller: str) -> None:
        """A request that was read in this turn was refused with 429."""
        self._taken[caller] += REFUSED - 1

    def wait(self, caller: str, connection: Waiting) -> None:
        """It is told when it is its turn."""
        self._waiting.setdefault(caller, deque()).append(connection)

    def _next_turn(self) -> None:
        self._scheduled = False
        self._taken.clear()
        for caller, waiting in list(self._waiting.items()):
            while waiting and self._taken[caller] < IN_A_TURN:
                self._taken[caller] += 1
                waiting.popleft().turn()
            if not waiting:
                del self._waiting[caller]
        if self._waiting and not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._next_turn)


class Connections:
    """The open connections, at most ``most``, and those whose clients have to act, the longest overdue first.

    Use it on the event loop's thread.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._loop = asyncio.get_running_loop()
        self._open: set[Connection] = set()
        #: How many are open of each caller.
        self._of: Counter[str] = Counter()
        self._owing: dict[Connection, float] = {}
        #: In which turn of the loop their requests are read.
        self.turns = FairQueue(self._loop)
        #: Bytes that came in of requests that are not yet whole.
        self.held = 0

    def __len__(self) -> int:
        return len(self._open)

    def opened(self, connection: Connection) -> None:
        self._open.add(connection)
        self._of[subscriber(connection.peer)] += 1
        if len(self._open) > self._most:
            self._make_room(connection)

    def closed(self, connection: Connection) -> None:
        self._owing.pop(connection, None)
        if connection not in self._open:
            return
        self._open.remove(connection)
        caller = subscriber(connection.peer)
        self._of[caller] -= 1
        if not self._of[caller]:
            del self._of[caller]

    def owes(self, connection: Connection) -> None:
        """The client of this connection has to send or read before it goes on."""
        if connection in self._open:
            self._owing.setdefault(connection, self._loop.time())

    def owes_nothing(self, connection: Connection) -> None:
        self._owing.pop(connection, None)

    def sweep(self) -> None:
        """Closes the connections whose clients are overdue for too long. Call it once a second."""
        late = self._loop.time() - PATIENCE
        for connection, _ in list(takewhile(lambda entry: entry[1] <= late, self._owing.items())):
            if not connection.waiting:
                self._give_up(connection, RequestTooSlow())

    def hold(self, connection: Connection, count: int) -> None:
        """Counts more bytes of a request that is not yet whole."""
        self.held += count
        if self.held > HELD:
            self._make_room(connection)

    def _make_room(self, newest: Connection) -> None:
        """Closes the connection that is longest overdue. Callers with more than a fair share lose theirs first, also
        when they need the room themselves. When no connection is overdue, the new one is closed.
        """
        fair = max(1, self._most // max(1, len(self._of)))
        own = subscriber(newest.peer)
        owing = islice(self._owing, LOOKED_AT)
        error: OrderError = TooBusy()
        if self._of[own] > fair:
            chosen = next((it for it in owing if subscriber(it.peer) == own), newest)
            error = TooManyRequests("connections", fair, RETRY) if len(self._of) > 1 else error
        else:
            longest = next(iter(self._owing), newest)
            chosen = next((it for it in owing if self._of[subscriber(it.peer)] > fair), longest)
        self._give_up(chosen, error)

    def _give_up(self, connection: Connection, error: OrderError) -> None:
        self.closed(connection)
        connection.give_up(error)


def peer_of(transport: asyncio.BaseTransport) -> str:
    """The address at the other end of a connection; empty where it has none."""
    name = transport.get_extra_info("peername")
    return str(name[0]) if isinstance(name, tuple) else ""


@lru_cache(maxsize=4096)
def subscriber(address: str) -> str:
    """Who is counted for an address: the IPv4 address itself, or the network of an IPv6 address. Anything else counts
    as it is.
    """
    try:
        found = ip_address(address)
    except ValueError:
        return address[:64]
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(ip_network((found, SUBSCRIBER), strict=False))
