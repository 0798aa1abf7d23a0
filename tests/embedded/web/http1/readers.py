"""What h11 makes of a stream."""

from typing import NamedTuple
from urllib.parse import unquote

import h11


class Read(NamedTuple):
    """The whole requests as ``Echo`` remembers them, and whether something behind them was refused."""

    requests: list[tuple[str, bytes]]
    refused: bool


def by_h11(data: bytes) -> Read:
    """Feeds h11 as a server that answers every request at once."""
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=1_000_000)
    connection.receive_data(data)
    connection.receive_data(b"")
    requests: list[tuple[str, bytes]] = []
    try:
        while (request := _request(connection)) is not None:
            requests.append(request)
            connection.send(h11.Response(status_code=404, headers=[("Content-Length", "0")]))
            connection.send(h11.EndOfMessage())
            if h11.MUST_CLOSE in {connection.our_state, connection.their_state}:
                break
            connection.start_next_cycle()
    except h11.RemoteProtocolError:
        return Read(requests, refused=True)
    return Read(requests, refused=False)


def _request(connection: h11.Connection) -> tuple[str, bytes] | None:
    """The next whole request; None: the connection ended before one. Raises RemoteProtocolError."""
    head, body = connection.next_event(), b""
    if not isinstance(head, h11.Request):
        return None
    while not isinstance(event := connection.next_event(), h11.EndOfMessage):
        if not isinstance(event, h11.Data):
            return None
        body += bytes(event.data)
    return f"{head.method.decode()} {_path(head.target.decode())}", body


def _path(target: str) -> str:
    if target.lower().startswith("http://"):
        target = "/" + target[len("http://") :].partition("/")[2]
    return unquote(target.partition("?")[0])
