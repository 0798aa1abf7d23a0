"""A client of graphql-transport-ws.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.embedded.web.conftest import PLAIN, Served

PROTOCOL = Subprotocol("graphql-transport-ws")
FOLLOW = "subscription($id: ID!) { orderUpdated(id: $id) { id orderStatus restaurantId } }"


class Client:
    """One websocket, message by message."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def say(self, type: str, id: str | None = None, **payload: Any) -> None:
        message = {"type": type, **({"id": id} if id else {}), **({"payload": payload} if payload else {})}
        await self._socket.send(json.dumps(message))

    async def say_raw(self, text: str | bytes) -> None:
        await self._socket.send(text)

    async def say_text(self, pieces: list[bytes]) -> None:
        """One text message in these pieces, whatever bytes they are."""
        await self._socket.send(pieces if len(pieces) > 1 else pieces[0], text=True)

    async def hear(self) -> Any:
        async with asyncio.timeout(10):
            return json.loads(await self._socket.recv())

    async def closed(self) -> int:
        """The code with which the server closes, whatever it says before."""
        with pytest.raises(ConnectionClosed) as closed:
            await self._hear_all()
        assert closed.value.rcvd
        return closed.value.rcvd.code

    def reason(self) -> str:
        """What the server said when it closed."""
        return self._socket.close_reason or ""

    async def _hear_all(self) -> None:
        while True:
            await self.hear()


@asynccontextmanager
async def connected(
    served: Served, *, greet: bool = True, path: str = "/graphql", **options: Any
) -> AsyncIterator[Client]:
    options = {"subprotocols": [PROTOCOL], **options}
    async with connect(f"ws://127.0.0.1:{served.port}{path}", **options) as socket:
        client = Client(socket)
        if greet:
            await client.say("connection_init")
            assert await client.hear() == {"type": "connection_ack"}
        yield client


async def placed(served: Served) -> str:
    answer = await served.client.post("/orders", json=PLAIN)
    order_id: str = answer.headers["Order-Id"]
    return order_id


async def following(served: Served, client: Client, order_id: str, name: str = "1") -> None:
    """Subscribes, and returns once the server does follow: first it tells the order as it is."""
    await client.say("subscribe", name, query=FOLLOW, variables={"id": order_id})
    while (message := await client.hear()).get("id") != name:
        pass
    assert message["type"] == "next", message
