"""Plays orders through both APIs of a server, and watches them end.

Orders come as they came to the shops, only faster. Every second one goes over GraphQL. Some are cancelled while they
are on hold, and some are sent twice, as by an impatient customer: under the same key that is one order.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec

from demo.baskets import Basket
from expediter.app.gateways import HttpRequest, HttpResponse, NoAnswer
from expediter.asl import Json
from expediter.embedded.engine.http_client import HttpClient, Limits

#: One order of each API in so many is cancelled; one in so many is sent twice.
CANCEL_EACH, TWICE_EACH = 40, 40
#: Seconds from the accept to the cancel: inside a hold of one second.
CANCEL_AFTER = 0.3
#: Connections that place orders.
AT_ONCE = 64

POST_ORDER = """mutation Place($input: OrderInput!, $key: ID) {
  postOrder(input: $input, idempotencyKey: $key) { id orderStatus total }
}"""
CANCEL_ORDER = "mutation Cancel($id: ID!) { cancelOrder(id: $id) { id orderStatus } }"
_CAMEL = {"user_id": "userId", "restaurant_id": "restaurantId", "unit_price": "unitPrice"}


class Refused(Exception):
    """The server did not take an order that it should have taken."""


class Took(NamedTuple):
    """Something that began ``at`` seconds after the start and took so many milliseconds."""

    at: float
    milliseconds: float


class Played(msgspec.Struct):
    """The ids of the orders that were accepted by each API, and of those cancelled in time.

    ``begun``: seconds since 1970; ``accepts``: from each request to its answer.
    """

    begun: float = 0.0
    accepts: list[Took] = []
    rest: list[str] = []
    graphql: list[str] = []
    cancelled: list[str] = []
    twice: list[str] = []


async def play(url: str, baskets: Sequence[Basket], seconds: float, advance: Callable[[], None]) -> Played:
    """Places the baskets' orders within about ``seconds``. Raises Refused."""
    played = Played(time.time())
    loop = asyncio.get_running_loop()
    start, first = loop.time(), baskets[0].at
    pace = seconds / max(1.0, baskets[-1].at - first)
    client = HttpClient(url, Limits(connections=AT_ONCE, answer=30.0))
    async with asyncio.TaskGroup() as group:
        for number, basket in enumerate(baskets):
            await asyncio.sleep(start + (basket.at - first) * pace - loop.time())
            group.create_task(_order(client, number, basket, played, advance))
    await client.aclose()
    return played


async def _order(client: HttpClient, number: int, basket: Basket, played: Played, advance: Callable[[], None]) -> None:
    over_graphql = number % 2 == 1
    place = place_graphql if over_graphql else place_rest
    begun = time.time()
    await place(client, basket)
    played.accepts.append(Took(begun - played.begun, 1000 * (time.time() - begun)))
    (played.graphql if over_graphql else played.rest).append(basket.key)
    advance()
    if number % TWICE_EACH == 7:
        await place(client, basket)
        played.twice.append(basket.key)
    if number % CANCEL_EACH < 2:
        await asyncio.sleep(CANCEL_AFTER)
        if await (cancel_graphql if over_graphql else cancel_rest)(client, basket.key):
            played.cancelled.append(basket.key)


async def place_rest(client: HttpClient, basket: Basket) -> None:
    """Raises Refused."""
    answer = await sent(client, "/orders", basket.order, {"Idempotency-Key": basket.key})
    if answer.status != 204:
        raise Refused(f"REST answered {answer.status}: {answer.body.decode()}")


async def place_graphql(client: HttpClient, basket: Basket) -> None:
    """Raises Refused."""
    answer = await asked(client, POST_ORDER, {"input": camel(basket.order), "key": basket.key})
    if "errors" in answer or answer["data"]["postOrder"]["id"] != basket.key:
        raise Refused(f"GraphQL answered {answer}")


async def cancel_rest(client: HttpClient, order_id: str) -> bool:
    """Whether it could still be cancelled."""
    return (await sent(client, f"/orders/{order_id}/cancel", {}, {})).status == 200


async def cancel_graphql(client: HttpClient, order_id: str) -> bool:
    return "errors" not in await asked(client, CANCEL_ORDER, {"id": order_id})


async def asked(client: HttpClient, document: str, variables: dict[str, Any]) -> dict[str, Any]:
    """GraphQL's answer."""
    answer = await sent(client, "/graphql", {"query": document, "variables": variables}, {})
    return msgspec.json.decode(answer.body, type=dict[str, Any])


async def sent(client: HttpClient, path: str, body: dict[str, Any], headers: dict[str, str]) -> HttpResponse:
    """The answer; asked again when there is none, or no time: every order has its key."""
    request = HttpRequest("POST", path, {"Content-Type": "application/json", **headers}, msgspec.json.encode(body))
    while True:
        try:
            answer = await client.send(request)
        except NoAnswer:
            await asyncio.sleep(0.5)
            continue
        if answer.status != 503:
            return answer
        await asyncio.sleep(1)


def camel(value: Json) -> Json:
    """An order of the REST API as the input of GraphQL's."""
    if isinstance(value, dict):
        return {_CAMEL.get(name, name): camel(held) for name, held in value.items()}
    return [camel(held) for held in value] if isinstance(value, list) else value
