"""Each caller's idempotency keys are his own: another's tells of nothing, stops nothing and repeats nothing."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import permutations
from typing import Any, NamedTuple
from uuid import uuid4

import httpx
import pytest

from tests.embedded.web.access.callers import TOKEN
from tests.embedded.web.conftest import Opened, Served
from tests.support.issuer import issuing

pytestmark = pytest.mark.anyio
ADMIN = {"Authorization": f"Bearer {TOKEN}"}
ALL = {"Prefer": "return=representation"}
ORDER: dict[str, Any] = {"restaurant_id": "r", "quantity": 1}
POST = (
    'mutation($key: ID) { postOrder(idempotencyKey: $key, input: {name: "a", quantity: 1, restaurantId: "r"}) { id } }'
)


class Someone(NamedTuple):
    client: httpx.AsyncClient
    token: str
    customer: bool = False

    async def ask(self, method: str, path: str, key: str, body: Any = None) -> httpx.Response:
        shown = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": key, **ALL}
        return await self.client.request(method, path, json=body, headers=shown)

    async def place(self, key: str, **fields: Any) -> httpx.Response:
        """A customer orders for himself, the others for Ann."""
        user = {} if self.customer else {"user_id": "ann"}
        return await self.ask("POST", "/orders", key, {**ORDER, **user, **fields})

    async def place_by_graphql(self, key: str) -> str:
        answer = await self.ask("POST", "/graphql", key, {"query": POST, "variables": {"key": key}})
        return str(answer.json()["data"]["postOrder"]["id"])


async def key_for(served: Served, name: str) -> Someone:
    asked = {"name": name, "scopes": ["orders:read", "orders:write", "dlq", "keys", "mail", "refunds"]}
    answer = await served.client.post("/keys", json=asked, headers=ADMIN)
    return Someone(served.client, answer.raise_for_status().json()["secret"])


@asynccontextmanager
async def town(opened: Opened) -> AsyncIterator[tuple[Served, dict[str, Someone]]]:
    """A server and its callers: those who might be taken for one another."""
    with issuing(time.time()) as issuer:
        async with opened(TOKEN=TOKEN, **issuer.settings()) as served:
            tokens = {
                "the plain token": TOKEN,
                "a customer": issuer.token("shop"),
                "another customer": issuer.token("key shop"),
                "an operator": issuer.token("olga", groups="operators"),
                "the issuer's program": issuer.token(
                    "till", client_id="till", scope="expediter/orders:write expediter/orders:read"
                ),
            }
            callers = {name: Someone(served.client, token, "customer" in name) for name, token in tokens.items()}
            callers |= {name: await key_for(served, name) for name in ("shop", "till")}
            yield served, callers


async def test_the_same_key_of_two_callers_is_two_orders_and_each_repeat_finds_its_own(opened: Opened) -> None:
    async with town(opened) as (_, callers):
        for one, other in permutations(callers.values(), 2):
            key = str(uuid4())
            first = await one.place(key)
            # Another order under the key, the first time; then the very same one.
            second = await other.place(key, quantity=7)
            for answer in (first, second):
                assert answer.status_code == 201
                assert "Idempotent-Replayed" not in answer.headers
            assert first.json()["id"] != second.json()["id"]
            for caller, placed, quantity in ((one, first, 1), (other, second, 7)):
                again = await caller.place(key, quantity=quantity)
                assert again.headers["Idempotent-Replayed"] == "true"
                assert again.headers["Location"] == placed.headers["Location"] == f"/orders/{placed.json()['id']}"
                refused = await caller.place(key, quantity=9)
                assert (refused.status_code, refused.json()["error"]) == (422, "IdempotencyKeyReused")


async def test_the_same_order_under_the_same_key_of_two_callers_is_two_orders(opened: Opened) -> None:
    async with town(opened) as (_, callers):
        for place in (Someone.place_by_graphql, _placed_by_rest):
            key = str(uuid4())
            ids = [await place(caller, key) for caller in callers.values()]
            assert len(set(ids)) == len(callers)
            assert [await place(caller, key) for caller in callers.values()] == ids


async def _placed_by_rest(caller: Someone, key: str) -> str:
    return str((await caller.place(key)).headers["Order-Id"])


async def test_a_program_finds_its_order_under_its_key_and_nobody_else_does(opened: Opened) -> None:
    async with town(opened) as (_, callers):
        key = str(uuid4())
        placed = (await callers["shop"].place(key)).json()["id"]
        assert placed != key
        assert (await callers["shop"].ask("GET", f"/orders/{key.upper()}", "")).json()["id"] == placed
        for name in callers.keys() - {"shop"}:
            assert (await callers[name].ask("GET", f"/orders/{key}", "")).status_code == 404, name
        assert (await callers["till"].ask("GET", f"/orders/{placed}", "")).status_code == 200


async def test_a_key_that_the_plain_token_used_too_still_names_each_caller_s_own_order(opened: Opened) -> None:
    async with town(opened) as (_, callers):
        key = str(uuid4())
        for name in ("the plain token", *callers):
            placed = (await callers[name].place(key)).json()["id"]
            assert (await callers[name].ask("GET", f"/orders/{key}", "")).json()["id"] == placed, name
            assert (await callers[name].ask("POST", f"/orders/{key}/cancel", "")).json()["id"] == placed, name


async def test_a_program_s_key_names_its_order_to_the_acts_of_operators_too(opened: Opened) -> None:
    async with town(opened) as (_, callers):
        shop, key = callers["shop"], str(uuid4())
        await shop.place(key)
        assert (await shop.ask("POST", f"/orders/{key}/mails/resend", "", {})).json() == {"resent": 0}
        assert (await shop.ask("POST", f"/orders/{key}/redrive", "")).json()["error"] == "NotRetryable"


async def test_what_another_asked_for_under_the_same_key_is_not_repeated(opened: Opened) -> None:
    """Acts of operators: the dead letters, a key, an order that is taken back."""
    async with town(opened) as (_, callers):
        one, other, key = callers["shop"], callers["till"], str(uuid4())
        purged = [await caller.ask("DELETE", "/dlq", key) for caller in (one, other, one, other)]
        assert [answer.headers.get("Idempotent-Replayed") for answer in purged] == [None, None, "true", "true"]
        asked = {"name": "another", "scopes": ["dlq"]}
        made = [await caller.ask("POST", "/keys", str(uuid4()), asked) for caller in (one, other)]
        assert all(answer.json()["secret"] for answer in made)
        # Another request under the key: refused to the one who used it, and carried out for others.
        assert (await one.ask("POST", "/keys", key, asked)).json()["error"] == "IdempotencyKeyReused"
        assert (await callers["an operator"].ask("POST", "/keys", key, asked)).json()["secret"]


async def test_a_program_whose_key_was_renewed_finds_its_former_answers(opened: Opened) -> None:
    async with town(opened) as (served, callers):
        old, order_key, act_key = callers["shop"], str(uuid4()), str(uuid4())
        placed = await old.place(order_key)
        taken_back = await old.ask("DELETE", f"/orders/{placed.json()['id']}", act_key)
        assert taken_back.status_code == 204
        new = await key_for(served, "shop")
        revoked = await served.client.delete(f"/keys/{old.token[:12]}", headers=ADMIN)
        assert revoked.status_code == 204

        assert (await old.place(order_key)).status_code == 401
        again = await new.place(order_key)
        assert (again.headers["Idempotent-Replayed"], again.json()["id"]) == ("true", placed.json()["id"])
        repeated = await new.ask("DELETE", f"/orders/{placed.json()['id']}", act_key)
        assert (repeated.status_code, repeated.headers["Idempotent-Replayed"]) == (204, "true")


async def test_an_order_s_id_as_a_key_does_not_repeat_what_its_customer_asked_for(opened: Opened) -> None:
    """The id of her order is what her key becomes. She sent the same key again to delete it."""
    async with town(opened) as (_, callers):
        ann, bob, key = callers["a customer"], callers["another customer"], str(uuid4())
        order_id = (await ann.place(key)).json()["id"]
        assert (await ann.ask("DELETE", f"/orders/{order_id}", key)).status_code == 204
        for caller in (bob, callers["till"]):
            answer = await caller.ask("DELETE", f"/orders/{order_id}", order_id)
            assert "Idempotent-Replayed" not in answer.headers
        assert (await bob.ask("DELETE", f"/orders/{order_id}", order_id)).status_code == 404
