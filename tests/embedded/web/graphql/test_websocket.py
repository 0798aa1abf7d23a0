"""Subscriptions over a websocket: graphql-transport-ws, and what a client gets to see of an order.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from expediter.embedded.web.graphql import executor
from tests.embedded.web.conftest import PLAIN, Opened, Served

pytestmark = pytest.mark.anyio

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

    async def hear(self) -> Any:
        async with asyncio.timeout(10):
            return json.loads(await self._socket.recv())

    async def closed(self) -> int:
        """The code with which the server closes, whatever it says before."""
        with pytest.raises(ConnectionClosed) as closed:
            await self._hear_all()
        assert closed.value.rcvd
        return closed.value.rcvd.code

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
    """Subscribes, and returns once the server does follow: it answers messages in the order they came."""
    await client.say("subscribe", name, query=FOLLOW, variables={"id": order_id})
    await client.say("subscribe", "done", query="{ __typename }")
    while (message := await client.hear()) != {"type": "complete", "id": "done"}:
        assert message["type"] == "next", message


# ── what is seen of an order ──────────────────────────────────────────────────────────────────────────────────────


async def test_a_change_of_the_order_arrives(serving: Opened) -> None:
    async with serving() as served, connected(served) as client:
        order_id = await placed(served)
        await following(served, client, order_id)
        await served.client.put(f"/orders/{order_id}", json={"restaurant_id": "new"})
        message = await client.hear()
        while message["payload"]["data"]["orderUpdated"]["restaurantId"] != "new":
            message = await client.hear()
        assert (message["type"], message["id"]) == ("next", "1")
        assert message["payload"]["data"]["orderUpdated"]["id"] == order_id


async def test_an_order_is_followed_to_its_end(serving: Opened) -> None:
    async with serving() as served, connected(served) as client:
        order_id = await placed(served)
        await following(served, client, order_id)
        await served.client.post(f"/orders/{order_id}/cancel")
        status = ""
        while status not in {"CANCELLED", "REFUND_PENDING"}:
            status = (await client.hear())["payload"]["data"]["orderUpdated"]["orderStatus"]


async def test_other_orders_are_not_seen(serving: Opened) -> None:
    async with serving() as served, connected(served) as client:
        mine, other = await placed(served), await placed(served)
        await following(served, client, mine)
        await served.client.post(f"/orders/{other}/cancel")
        await served.client.put(f"/orders/{mine}", json={"restaurant_id": "new"})
        seen = {"restaurantId": ""}
        while seen["restaurantId"] != "new":
            seen = (await client.hear())["payload"]["data"]["orderUpdated"]
            assert seen["id"] == mine


async def test_an_order_that_is_not_there_cannot_be_followed(serving: Opened) -> None:
    async with serving() as served, connected(served) as client:
        await client.say("subscribe", "1", query=FOLLOW, variables={"id": "x"})
        answer = await client.hear()
        assert (answer["type"], answer["id"]) == ("error", "1")
        assert answer["payload"][0]["extensions"]["code"] == "OrderNotFound"


async def test_who_ends_a_subscription_hears_no_more_of_it(serving: Opened) -> None:
    async with serving() as served, connected(served) as client:
        order_id = await placed(served)
        await following(served, client, order_id)
        await client.say("complete", "1")
        await client.say("ping")
        while (await client.hear())["type"] != "pong":
            pass
        assert served.home.feed.listeners == 0
        await served.client.put(f"/orders/{order_id}", json={"restaurant_id": "new"})
        await client.say("ping")
        assert await client.hear() == {"type": "pong"}


async def test_who_goes_away_is_no_longer_told(serving: Opened) -> None:
    async with serving() as served:
        async with connected(served) as client:
            await following(served, client, await placed(served))
            assert served.home.feed.listeners == 1
        async with connected(served):
            assert served.home.feed.listeners == 0


async def test_a_server_that_stops_closes_its_sockets(serving: Opened) -> None:
    async with AsyncExitStack() as left_open:
        async with serving() as served:
            client = await left_open.enter_async_context(connected(served))
            await following(served, client, await placed(served))
        assert await client.closed() == 1012


async def test_queries_and_mutations_run_over_the_same_socket(serving: Opened) -> None:
    post = 'mutation { postOrder(input: {name: "a", quantity: 1, restaurantId: "r"}) { id orderStatus } }'
    async with serving() as served, connected(served) as client:
        await client.say("subscribe", "1", query=post)
        answer = await client.hear()
        assert answer["payload"]["data"]["postOrder"]["orderStatus"] == "PENDING"
        assert await client.hear() == {"type": "complete", "id": "1"}
        order_id = answer["payload"]["data"]["postOrder"]["id"]
        assert (await served.client.get(f"/orders/{order_id}")).status_code == 200


@pytest.mark.parametrize("query", ["{", "{ nothing }", "subscription { nothing }"])
async def test_a_document_that_is_wrong_ends_its_operation_only(serving: Opened, query: str) -> None:
    async with serving() as served, connected(served) as client:
        await client.say("subscribe", "1", query=query)
        assert (await client.hear())["type"] == "error"
        await client.say("ping")
        assert await client.hear() == {"type": "pong"}


# ── the protocol's rules ──────────────────────────────────────────────────────────────────────────────────────────


async def test_who_does_not_greet_first_is_unauthorized(serving: Opened) -> None:
    async with serving() as served, connected(served, greet=False) as client:
        await client.say("subscribe", "1", query="{ __typename }")
        assert await client.closed() == 4401


async def test_who_greets_twice_is_closed(serving: Opened) -> None:
    async with serving() as served, connected(served) as client:
        await client.say("connection_init")
        assert await client.closed() == 4429


async def test_a_ping_may_come_before_the_greeting(serving: Opened) -> None:
    async with serving() as served, connected(served, greet=False) as client:
        await client.say("ping")
        assert await client.hear() == {"type": "pong"}


async def test_one_name_is_one_operation(serving: Opened) -> None:
    async with serving() as served, connected(served) as client:
        order_id = await placed(served)
        await following(served, client, order_id)
        await client.say("subscribe", "1", query=FOLLOW, variables={"id": order_id})
        assert await client.closed() == 4409


UNKNOWN = """
[]
{
{"type": 1}
{"type": "hello"}
{"type": "subscribe"}
{"type": "complete"}
{"type": "subscribe", "id": "1", "payload": {}}
{"type": "subscribe", "id": "1", "payload": {"query": 1}}
"""


@pytest.mark.parametrize("text", [*UNKNOWN.splitlines(), "[" * 9000, b"{}"])
async def test_a_message_that_the_protocol_does_not_know_closes(serving: Opened, text: str | bytes) -> None:
    async with serving() as served, connected(served) as client:
        await client.say_raw(text)
        assert await client.closed() == 4400


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"type": "x" * 500}, 4400),
        ({"type": "\u00e9" * 500}, 4400),
        ({"type": "subscribe", "id": "1", "payload": {"x" * 500: 1}}, 4400),
    ],
)
async def test_a_long_message_that_is_unknown_closes_with_a_short_reason(
    serving: Opened, message: dict[str, Any], code: int
) -> None:
    async with serving() as served, connected(served) as client:
        await client.say_raw(json.dumps(message))
        assert await client.closed() == code


async def test_a_long_name_that_is_taken_closes_with_a_short_reason(serving: Opened) -> None:
    name = "\u00e9" * 500
    async with serving() as served, connected(served) as client:
        order_id = await placed(served)
        for _ in range(2):
            await client.say("subscribe", name, query=FOLLOW, variables={"id": order_id})
        assert await client.closed() == 4409


async def test_a_number_that_is_too_long_ends_its_operation_only(serving: Opened) -> None:
    async with serving() as served, connected(served) as client:
        await client.say("subscribe", "1", query="{ orders(limit: %s) { id } }" % ("9" * 5_000))
        message = await client.hear()
        assert (message["type"], message["payload"][0]["extensions"]["code"]) == ("error", "DocumentInvalid")
        await client.say("ping")
        assert await client.hear() == {"type": "pong"}


async def test_an_operation_that_fails_by_a_fault_of_ours_is_answered(
    serving: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving() as served, connected(served) as client:
        monkeypatch.setattr(served.app._graphql, "execute", None)
        await client.say("subscribe", "1", query="{ orders { id } }")
        message = await client.hear()
        assert (message["type"], message["payload"][0]["extensions"]["code"]) == ("error", "InternalError")


async def test_a_message_that_is_too_large_closes(serving: Opened) -> None:
    async with serving() as served, connected(served) as client:
        await client.say_raw(" " * 65537)
        assert await client.closed() == 1009


@pytest.mark.parametrize("options", [{"subprotocols": None}, {"subprotocols": ["graphql-ws"]}, {"path": "/orders"}])
async def test_another_protocol_or_place_is_not_served(serving: Opened, options: dict[str, Any]) -> None:
    async with serving() as served, connected(served, greet=False, **options) as client:
        assert await client.closed() == 4406


# ── who may connect ───────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_page_from_elsewhere_cannot_connect(serving: Opened) -> None:
    headers = {"Origin": "http://attacker.example"}
    async with serving() as served:
        with pytest.raises(InvalidStatus) as refused:
            async with connected(served, greet=False, additional_headers=headers):
                pass
        assert refused.value.response.status_code == 403


async def test_the_token_may_come_with_the_greeting(serving: Opened) -> None:
    async with serving(TOKEN="secret") as served, connected(served, greet=False) as client:
        await client.say("connection_init", Authorization="Bearer secret")
        assert await client.hear() == {"type": "connection_ack"}


async def test_the_token_may_come_with_the_handshake(serving: Opened) -> None:
    token = {"Authorization": "Bearer secret"}
    async with serving(TOKEN="secret") as served, connected(served, additional_headers=token):
        pass


@pytest.mark.parametrize("payload", [{}, {"authorization": "Bearer wrong"}, {"authorization": 1}, {"token": "secret"}])
async def test_without_the_token_nobody_is_greeted_back(serving: Opened, payload: dict[str, Any]) -> None:
    async with serving(TOKEN="secret") as served, connected(served, greet=False) as client:
        await client.say("connection_init", **payload)
        assert await client.closed() == 4403


async def test_there_is_a_bound_to_subscriptions_and_whoever_leaves_makes_room(
    serving: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor, "MOST_SUBSCRIPTIONS", 1)
    async with serving() as served, connected(served) as client:
        order_id = await placed(served)
        await following(served, client, order_id)
        await client.say("subscribe", "2", query=FOLLOW, variables={"id": order_id})
        while (refused := await client.hear())["type"] == "next":
            assert refused["id"] == "1"
        assert (refused["type"], refused["id"]) == ("error", "2")
        assert refused["payload"][0]["errorType"] == "TooBusy"

        await client.say("complete", "1")
        await following(served, client, order_id, "3")
