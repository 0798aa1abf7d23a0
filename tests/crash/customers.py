"""Customers who order at both APIs while the server dies, and who ask again under the same key until they know."""

import asyncio
import random
import time
from typing import Any

import httpx
import msgspec

from expediter.app.payments.signature import signature
from expediter.embedded.clock import new_id
from tests.crash.processes import EVENTS_SECRET

#: Orders under way at the same time.
TOGETHER = 8
#: Share of accepted orders that are cancelled, and seconds after the accept until then.
CANCELLED, AFTER = 0.25, 0.8
#: Share of accepted orders of which finance gives a minor unit back, and how often that is tried while it is too early.
REFUNDED, TRIES = 0.3, 4
#: Seconds between two events of the bank, at most.
EVENTS = 0.2

_POST = (
    "mutation ($input: OrderInput!, $key: ID!) { postOrder(input: $input, idempotencyKey: $key) { id total currency } }"
)
_CANCEL = "mutation ($id: ID!) { cancelOrder(id: $id) { id orderStatus } }"
#: Asks for the order as the answer.
_WHOLE = {"Prefer": "return=representation"}
#: Codes of mutations that did nothing: a server that stops answers so, and a cancel can come too late.
_BUSY, _TOO_LATE = ("TooBusy", "NotReady"), ("OrderAlreadySent", "OrderAlreadyEnded")


class Placed(msgspec.Struct):
    """One order as its customer knows it. ``cancelled`` None: the answer to the cancel was lost."""

    id: str
    quantity: int
    graphql: bool
    asked: int = 0
    accepted: bool = False
    cancelled: bool | None = False
    #: Every total with its currency that an answer gave.
    told: set[tuple[int, str]] = msgspec.field(default_factory=set)

    @property
    def email(self) -> str:
        return f"{self.id[-12:]}@example.com"


class Customers:
    def __init__(self, seed: int) -> None:
        self.orders: list[Placed] = []
        self._chance = random.Random(seed)

    @property
    def unanswered(self) -> list[Placed]:
        return [order for order in self.orders if not order.accepted]

    async def visit(self, url: str, count: int) -> None:
        """Asks again about every order without an answer and places ``count`` new ones, until the server is gone."""
        again = self.unanswered
        new = [Placed(new_id(), self._chance.randint(1, 9), self._chance.random() < 0.5) for _ in range(count)]
        self.orders += new
        waiting = [*again, *new]
        limits = httpx.Limits(max_connections=2 * TOGETHER)
        async with httpx.AsyncClient(base_url=url, timeout=10, limits=limits) as client:
            await asyncio.gather(*(self._order_all(client, waiting) for _ in range(TOGETHER)))

    async def _order_all(self, client: httpx.AsyncClient, waiting: list[Placed]) -> None:
        while waiting:
            order = waiting.pop()
            try:
                await self._place(client, order)
                if order.accepted:
                    await self._tell(client, order)
                if order.accepted and self._chance.random() < REFUNDED:
                    await self._give_back(client, order)
                if order.accepted and self._chance.random() < CANCELLED:
                    await asyncio.sleep(self._chance.random() * AFTER)
                    await self._cancel(client, order)
            except httpx.TransportError:
                return  # the server is gone; what it did with the order is not known

    async def _place(self, client: httpx.AsyncClient, order: Placed) -> None:
        order.asked += 1
        if order.graphql:
            given = {"name": "Burger", "quantity": order.quantity, "restaurantId": "Restaurant 4", "userId": "ann"}
            variables = {"input": {**given, "email": order.email}, "key": order.id}
            answer = await self._mutate(client, _POST, variables, *_BUSY)
            order.accepted = "postOrder" in answer and answer["postOrder"]["id"] == order.id
            if order.accepted:
                order.told.add((answer["postOrder"]["total"], answer["postOrder"]["currency"]))
            return
        body = {"user_id": "ann", "restaurant_id": "Restaurant 4", "name": "Burger", "quantity": order.quantity}
        headers = {"Idempotency-Key": order.id, **self._chance.choice(({}, _WHOLE))}
        response = await client.post("/orders", json={**body, "email": order.email}, headers=headers)
        if response.status_code not in (201, 204, 503):
            raise AssertionError(f"{order.id}: {response.status_code} {response.text}")
        order.accepted = response.status_code != 503 and response.headers["order-id"] == order.id
        if response.status_code == 201:
            order.told.add((response.json()["total"], response.json()["currency"]))

    async def _tell(self, client: httpx.AsyncClient, order: Placed) -> None:
        """The bank sends events about the payment, early, late and twice, and the customer comes back."""
        body = msgspec.json.encode({"id": f"evt-{order.id}-{self._chance.randint(1, 2)}", "order_id": order.id})
        for _ in range(self._chance.randint(0, 3)):
            await asyncio.sleep(self._chance.random() * EVENTS)
            at = int(time.time())
            signed = f"t={at},v1={signature(body, EVENTS_SECRET, at)}"
            headers = {"Payments-Signature": signed, "Content-Type": "application/json"}
            response = await client.post("/webhooks/payments", content=body, headers=headers)
            if response.status_code not in (204, 503):
                raise AssertionError(f"event {order.id}: {response.status_code} {response.text}")
        if self._chance.random() < 0.3:
            response = await client.post(f"/orders/{order.id}/payment")
            if response.status_code not in (200, 404, 503):
                raise AssertionError(f"payment {order.id}: {response.status_code} {response.text}")

    async def _give_back(self, client: httpx.AsyncClient, order: Placed) -> None:
        """Finance asks for a refund in part, under one key, as soon as the order is paid; a repeat changes nothing."""
        for _ in range(TRIES):
            response = await client.post(
                f"/orders/{order.id}/refunds",
                json={"amount": 1, "reason": "It was cold."},
                headers={"Idempotency-Key": order.id},
            )
            if response.status_code not in (202, 404, 409, 503):
                raise AssertionError(f"refund {order.id}: {response.status_code} {response.text}")
            await asyncio.sleep(self._chance.random() * AFTER)

    async def _cancel(self, client: httpx.AsyncClient, order: Placed) -> None:
        order.cancelled = None
        if self._chance.random() < 0.5:
            answer = await self._mutate(client, _CANCEL, {"id": order.id}, *_BUSY, *_TOO_LATE)
            order.cancelled = "cancelOrder" in answer
            return
        response = await client.post(f"/orders/{order.id}/cancel")
        if response.status_code not in (200, 409, 503):
            raise AssertionError(f"cancel {order.id}: {response.status_code} {response.text}")
        order.cancelled = response.status_code == 200

    async def _mutate(self, client: httpx.AsyncClient, query: str, variables: Any, *allowed: str) -> dict[str, Any]:
        """The mutation's data; nothing when it was refused with an allowed code."""
        response = await client.post("/graphql", json={"query": query, "variables": variables})
        answer = response.json()
        if "data" not in answer and response.status_code == 503:
            return {}  # refused before the document was read
        if "errors" not in answer:
            return answer["data"]
        if any(error["extensions"]["code"] not in allowed for error in answer["errors"]):
            raise AssertionError(f"{variables}: {answer}")
        return {}
