"""ASGI, by which uvicorn passes on websockets (https://asgi.readthedocs.io/en/latest/specs/www.html)."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any, TypeAlias

from expediter.api.request import Headers, Response

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

#: The extension of a websocket's scope. The application calls it, without arguments, once it knows the caller.
KNOWN = "expediter.known"


def headers_of(scope: Scope) -> Headers:
    """The headers of a handshake. ``parse_head`` has read its head before."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def peer_of(scope: Scope) -> str:
    """The address of the other end of the connection; empty where there is none."""
    return (scope.get("client") or ("",))[0]


async def stays(receive: Receive, seconds: float) -> bool:
    """Whether the client of a new websocket is still there after so many seconds. Returns at once when it goes away:
    anybody can come and go thousands of times in this time.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await receive()  # websocket.connect
            if (await receive())["type"] == "websocket.disconnect":
                return False
            await asyncio.sleep(seconds)  # it sends something, although nothing was answered yet
    return True


async def refuse_websocket(send: Send, response: Response) -> None:
    """Answers a handshake with an HTTP response (https://asgi.readthedocs.io/en/latest/extensions.html)."""
    headers = [(name.lower().encode(), value.encode()) for name, value in response.headers]
    await send({"type": "websocket.http.response.start", "status": response.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": response.body})
