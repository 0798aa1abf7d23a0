"""The bounds of connections: none of them can stop the others.

Rules:
 - a connection has PATIENCE seconds to bring its next whole request, and as many to take what is sent to it; one that
   brings a byte a second, or reads nothing, is closed;
 - a request's head and body are counted as they come, before anything is kept of them, and requests that are not yet
   whole hold at most HELD bytes in all;
 - few requests may wait on one connection for the answer to the first (pipelining);
 - when there are as many connections as descriptors, the one that has owed us something longest makes room.
"""

import asyncio
from http import HTTPStatus
from itertools import takewhile
from typing import Protocol

from expediter.api.errors import RequestTooSlow
from expediter.api.request import Response
from expediter.domain.errors import OrderError, TooBusy
from expediter.embedded.web.asgi import LARGEST_HEADERS, LONGEST_ADDRESS, READ_ALL_THE_SAME, head_of

#: Seconds that a connection may owe us the rest of a request, or leave what was sent to it unread.
PATIENCE = 30.0
#: Bytes of a request's address and headers, of a whole request as it comes in (in chunks it is longer than its body),
#: and of all requests that are not yet whole.
HEAD = LARGEST_HEADERS + LONGEST_ADDRESS
REQUEST = 2 * READ_ALL_THE_SAME
HELD = 64 * 1024 * 1024
#: Headers of one request, and requests that wait on one connection for the answer to an earlier one.
HEADERS = 100
AHEAD = 64


class Connection(Protocol):
    """What the bounds ask of a connection."""

    def give_up(self, error: OrderError, /) -> None:
        """Closes it; who waits for an answer to a request that he has begun is told the error."""


class Connections:
    """The open connections, at most ``most``, and those among them that owe us something: the longest owing first.

    Use it on the event loop's thread.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._loop = asyncio.get_running_loop()
        self._open: set[Connection] = set()
        self._owing: dict[Connection, float] = {}
        #: Bytes that came in of requests that are not yet whole.
        self.held = 0

    def __len__(self) -> int:
        return len(self._open)

    def opened(self, connection: Connection) -> None:
        self._open.add(connection)
        if len(self._open) > self._most:
            self._make_room(connection)

    def closed(self, connection: Connection) -> None:
        self._open.discard(connection)
        self._owing.pop(connection, None)

    def owes(self, connection: Connection) -> None:
        """It has to do something before anything can go on there."""
        if connection in self._open:
            self._owing.setdefault(connection, self._loop.time())

    def owes_nothing(self, connection: Connection) -> None:
        self._owing.pop(connection, None)

    def sweep(self) -> None:
        """Gives up those that have owed us something for too long. Call it once a second."""
        late = self._loop.time() - PATIENCE
        for connection, _ in list(takewhile(lambda entry: entry[1] <= late, self._owing.items())):
            self._give_up(connection, RequestTooSlow())

    def hold(self, connection: Connection, count: int) -> None:
        """So many more bytes are held of a request that is not yet whole."""
        self.held += count
        if self.held > HELD:
            self._make_room(connection)

    def _make_room(self, newest: Connection) -> None:
        """Gives up the one that has owed us something longest; when none does, who needs the room."""
        self._give_up(next(iter(self._owing), newest), TooBusy())

    def _give_up(self, connection: Connection, error: OrderError) -> None:
        self.closed(connection)
        connection.give_up(error)


def answer(response: Response) -> bytes:
    """The last answer on a connection, as it goes over the wire."""
    status = HTTPStatus(response.status)
    head = f"HTTP/1.1 {status.value} {status.phrase}\r\n{head_of(response)}connection: close\r\n\r\n"
    return head.encode() + response.body
