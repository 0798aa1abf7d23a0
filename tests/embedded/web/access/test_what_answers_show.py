"""What a caller sees of an order that he places or changes: the order, if he may read orders; else that it was done."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import httpx
import pytest

from tests.embedded.web.access.callers import TOKEN, made_key
from tests.embedded.web.conftest import PLAIN, Opened

pytestmark = pytest.mark.anyio
INPUT = '{name: "Burger", quantity: 1, restaurantId: "r"}'
#: Each mutation that gives an order; ID: the order's.
MUTATIONS = {
    "postOrder": f"postOrder(input: {INPUT})",
    "updateOrder": 'updateOrder(input: {id: "ID", restaurantId: "another"})',
    "continuePayment": 'continuePayment(id: "ID")',
    "cancelOrder": 'cancelOrder(id: "ID")',
}
FRAGMENT = "fragment seen on Order { orderStatus }"


class Program(NamedTuple):
    client: httpx.AsyncClient
    key: str

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        shown = {"Authorization": f"Bearer {self.key}", **headers}
        return await self.client.request(method, path, json=body, headers=shown)

    async def mutate(self, field: str, selection: str, fragment: str = "") -> Any:
        answer = await self.ask("POST", "/graphql", {"query": f"mutation {{ {field} {{ {selection} }} }} {fragment}"})
        return answer.json()


@asynccontextmanager
async def programs(opened: Opened) -> AsyncIterator[tuple[Program, Program]]:
    """One that may only write, and one that may read too."""
    async with opened(TOKEN=TOKEN, HOLD_SECONDS="600") as served:
        keys = [await made_key(served.client, scopes) for scopes in (["orders:write"], ["orders:write", "orders:read"])]
        writer, reader = (Program(served.client, key) for _, key in keys)
        yield writer, reader


async def test_rest_shows_the_order_only_to_who_may_read_orders(opened: Opened) -> None:
    async with programs(opened) as (writer, reader):
        wish = {"Prefer": "return=representation"}
        placed = await writer.ask("POST", "/orders", PLAIN, **wish)
        assert (placed.status_code, placed.content) == (204, b"")
        assert "Preference-Applied" not in placed.headers
        order_id = placed.headers["Order-Id"]
        for path in (f"/orders/{order_id}/payment", f"/orders/{order_id}/cancel"):
            assert ((await writer.ask("POST", path)).status_code, (await writer.ask("POST", path)).content) == (
                204,
                b"",
            )
            assert (await reader.ask("POST", path)).json()["id"] == order_id
        assert (await reader.ask("POST", "/orders", PLAIN, **wish)).json()["user_id"] == PLAIN["user_id"]


@pytest.mark.parametrize("name", MUTATIONS)
async def test_graphql_refuses_a_mutation_that_asks_for_more_than_the_id_before_it_acts(
    opened: Opened, name: str
) -> None:
    async with programs(opened) as (writer, reader):
        order_id = (await writer.ask("POST", "/orders", PLAIN)).headers["Order-Id"]
        field = MUTATIONS[name].replace("ID", order_id)
        asked = ("id orderStatus", ""), ("...seen", FRAGMENT), ("... on Order { total }", ""), ("id: userId", "")
        for selection, fragment in asked:
            answer = await writer.mutate(field, selection, fragment)
            assert answer["data"] == {name: None}
            (error,) = answer["errors"]
            assert (error["extensions"]["code"], "orders:read" in error["message"]) == ("ScopeMissing", True)
        (order,) = (await reader.ask("GET", "/orders")).json()["items"]
        assert (order["restaurant_id"], order["order_status"] in {"PENDING", "PAID"}) == (PLAIN["restaurant_id"], True)
        assert "errors" not in await reader.mutate(field, "id orderStatus")


@pytest.mark.parametrize("name", MUTATIONS)
async def test_who_may_only_write_is_told_the_id_of_the_order_by_graphql(opened: Opened, name: str) -> None:
    async with programs(opened) as (writer, _):
        order_id = (await writer.ask("POST", "/orders", PLAIN)).headers["Order-Id"]
        answer = await writer.mutate(MUTATIONS[name].replace("ID", order_id), "__typename id")
        assert "errors" not in answer
        assert name == "postOrder" or answer["data"][name] == {"__typename": "Order", "id": order_id}


async def test_an_operator_without_the_scopes_sees_neither_mails_nor_acts_on_an_order_s_page(opened: Opened) -> None:
    async with opened(TOKEN=TOKEN, HOLD_SECONDS="600") as served:
        admin = {"Authorization": f"Bearer {TOKEN}"}
        order_id = (await served.client.post("/orders", json=PLAIN, headers=admin)).headers["Order-Id"]
        await served.client.post(f"/orders/{order_id}/cancel", headers=admin)
        pages = {}
        for scopes in (["orders:read"], ["orders:read", "mail:read", "audit"]):
            _, key = await made_key(served.client, scopes)
            await served.client.post("/console/sign-in", data={"token": key, "name": "Olga"})
            pages[len(scopes)] = (await served.client.get(f"/console/orders/{order_id}")).text
            mailbox = await served.client.get("/console/mailbox")
            assert mailbox.status_code == (403 if len(scopes) == 1 else 200)
            served.client.cookies.clear()
        for text in (">Mails<", "ancelled it"):
            assert (text in pages[1], text in pages[3]) == (False, True), text
