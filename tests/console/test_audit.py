"""The audit: acts through every API, and wrong tokens, in one table that is never altered."""

from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import apsw
import pytest
from websockets import ConnectionClosed, Subprotocol
from websockets.asyncio.client import connect

from expediter.app.ports import OrderSettings
from expediter.domain.order import Status
from expediter.embedded.operator.read_only import open_read_only
from expediter.embedded.sqlite.database import open_reader, open_writer
from tests.console.shop import PLAIN, Shop, opened, served

pytestmark = pytest.mark.anyio
TOKEN = "a-long-random-secret"
NAMED = {"Expediter-Operator": "ada", "Accept": "*/*"}


def entries(folder: Path) -> list[tuple[str, str, str, str, str, str]]:
    """Who, what, about what, detail, via and from of each entry, oldest first."""
    with open_read_only(folder / "data", OrderSettings()) as (*_, audit):
        return [(it.who, it.kind, it.subject, it.detail, it.via, it.address) for it in reversed(audit.page(100))]


async def settled(shop: Shop) -> None:
    """Everything that was submitted is written."""
    for _ in range(3):
        await shop.home.write(lambda work: None, "look")


async def graphql(shop: Shop, query: str, **variables: Any) -> None:
    answer = await shop.client.post("/graphql", json={"query": query, "variables": variables}, headers=NAMED)
    assert "errors" not in answer.json(), answer.text


async def test_the_audit_has_acts_over_rest_and_graphql_with_caller_and_address(tmp_path: Path) -> None:
    async with opened(tmp_path) as shop:
        one, two, three, four = [await shop.place() for _ in range(4)]
        for order_id in (one, two, three, four):
            await shop.until(order_id, Status.PAID)
        client = shop.client
        assert (await client.put(f"/orders/{one}", json={"name": "Soup"}, headers=NAMED)).status_code == 204
        assert (await client.post(f"/orders/{one}/cancel", headers=NAMED)).status_code == 200
        assert (await client.delete(f"/orders/{two}")).status_code == 204
        await graphql(shop, "mutation($i: ID!){cancelOrder(id: $i){id}}", i=three)
        await graphql(shop, "mutation($i: UpdateOrderInput!){updateOrder(input: $i){id}}", i={"id": four, "name": "x"})
        await graphql(shop, "mutation($i: ID!){deleteOrder(id: $i)}", i=four)

    assert entries(tmp_path) == [
        ("ada", "changed it", one, "", "REST", "127.0.0.1"),
        ("ada", "cancelled it", one, "", "REST", "127.0.0.1"),
        ("operator", "deleted it", two, "", "REST", "127.0.0.1"),
        ("ada", "cancelled it", three, "", "GraphQL", "127.0.0.1"),
        ("ada", "changed it", four, "", "GraphQL", "127.0.0.1"),
        ("ada", "deleted it", four, "", "GraphQL", "127.0.0.1"),
    ]


async def test_dead_letters_that_are_moved_over_rest_stand_in_the_audit(tmp_path: Path) -> None:
    async with opened(tmp_path) as shop:
        for method, path in (("POST", "/{}/redrive"), ("POST", "/redrive"), ("DELETE", "/{}"), ("DELETE", "")):
            letter = await shop.bury(b"{}", order_id="01a213e4-a911-7bae-8ee9-c6cec5c4bc91")
            answer = await shop.client.request(method, f"/dlq{path.format(letter)}", headers=NAMED)
            assert answer.status_code < 300
            await shop.client.delete("/dlq")

    kinds = [(kind, via) for who, kind, _, _, via, _ in entries(tmp_path) if who == "ada"]
    assert kinds == [(kind, "REST") for kind in ("redrove one", "redrove all", "deleted one", "deleted all")]


async def test_an_act_that_fails_is_not_recorded(tmp_path: Path) -> None:
    async with opened(tmp_path) as shop:
        missing = "01a213e4-a911-7bae-8ee9-c6cec5c4bc91"
        assert (await shop.client.delete(f"/orders/{missing}", headers={"Accept": "*/*"})).status_code == 404
        assert (await shop.client.post("/orders", json=PLAIN)).status_code == 204

    assert entries(tmp_path) == []


async def test_wrong_tokens_stand_in_the_audit_with_where_they_came_from_and_without_what_they_were(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path, TOKEN=TOKEN, TRUSTED_PROXIES="127.0.0.1") as shop:
        near = {"X-Forwarded-For": "203.0.113.9"}
        await shop.client.post("/console/sign-in", data={"token": "guess", "name": "Eve"}, headers=near)
        await shop.client.get("/orders", headers={**near, "Authorization": "Bearer guess"})
        await shop.client.get("/orders", headers=near)  # without a token nobody guesses
        await settled(shop)

    assert entries(tmp_path) == [
        ("", "sent a wrong token", "sign-in", "", "console", "203.0.113.9"),
        ("", "sent a wrong token", "sign-in", "", "REST", "203.0.113.9"),
    ]


async def test_a_wrong_token_on_a_websocket_stands_in_the_audit_too(tmp_path: Path) -> None:
    async with served(tmp_path, TOKEN=TOKEN) as shop:
        url = shop.url.replace("http", "ws") + "/graphql"
        async with connect(url, subprotocols=[Subprotocol("graphql-transport-ws")]) as socket:
            await socket.send('{"type":"connection_init","payload":{"authorization":"Bearer guess"}}')
            with pytest.raises(ConnectionClosed):
                await socket.recv()
        await settled(shop)

    assert entries(tmp_path) == [("", "sent a wrong token", "sign-in", "", "GraphQL", "127.0.0.1")]


async def test_many_wrong_tokens_do_not_fill_the_file_and_do_not_hide_those_of_another_address(tmp_path: Path) -> None:
    async with opened(tmp_path, TOKEN=TOKEN, TRUSTED_PROXIES="127.0.0.1") as shop:
        for address in ["192.0.2.1"] * 90 + ["192.0.2.2"] + [f"198.51.100.{number}" for number in range(90)]:
            headers = {"Authorization": "Bearer guess", "X-Forwarded-For": address}
            await shop.client.get("/orders", headers=headers)
        await settled(shop)

    noted = Counter(address for *_, address in entries(tmp_path))
    assert (noted["192.0.2.1"], noted["192.0.2.2"], noted.total()) == (10, 1, 60)


async def test_an_erasure_keeps_the_acts_and_drops_the_person(tmp_path: Path) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0") as shop:
        order_id = await shop.place(user_id="Grace", email="grace@example.com")
        await shop.until(order_id, Status.SUCCESS)
        await shop.home.write(lambda work: None, "look")
        await shop.send(f"/console/orders/{order_id}/again", f"/console/orders/{order_id}")
        await shop.client.put(f"/orders/{order_id}", json={"name": "Grace's"}, headers=NAMED)
        again = [subject for _, kind, subject, *_ in entries(tmp_path) if kind == "placed it"]
        await shop.until(again[0], Status.SUCCESS)
        erased = await shop.client.post("/erasures", json={"user_id": "Grace"}, headers=NAMED)
        assert erased.status_code == 200, erased.text

    kept = entries(tmp_path)
    assert ("ada", "erased its customer", order_id, "", "REST", "127.0.0.1") in kept
    assert ("operator", "ordered it again", order_id, "", "console", "127.0.0.1") in kept
    assert "race" not in str(kept)


async def test_operators_read_the_audit_on_a_page_of_the_console(tmp_path: Path) -> None:
    async with opened(tmp_path) as shop:
        order_id = await shop.place()
        await shop.until(order_id, Status.PAID)
        assert "Nothing yet" in await shop.page("/console/audit")
        await shop.client.post(f"/orders/{order_id}/cancel", headers=NAMED)
        page = await shop.page("/console/audit")

    for shown in ("ada", "cancelled it", f"/console/orders/{order_id}", "REST", "127.0.0.1"):
        assert shown in page


async def test_the_page_goes_back_in_time_entry_by_entry(tmp_path: Path) -> None:
    async with opened(tmp_path) as shop:
        order_id = await shop.place()
        await shop.until(order_id, Status.PAID)
        for number in range(55):
            await shop.client.put(f"/orders/{order_id}", json={"name": f"n{number}"}, headers=NAMED)
        first = await shop.page("/console/audit")
        assert first.count("changed it") == 50
        assert "before=6" in first
        assert (await shop.page("/console/audit?before=6")).count("changed it") == 5


def test_no_entry_can_be_altered_or_removed_not_even_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "expediter.db"
    with closing(open_writer(file)) as connection:
        connection.execute("INSERT INTO audit (at, who, kind, subject, detail) VALUES (1, 'a', 'k', 's', 'd')")
        for change in (
            "DELETE FROM audit",
            "UPDATE audit SET who = 'b'",
            "UPDATE audit SET at = 2",
            "UPDATE audit SET kind = ''",
            "UPDATE audit SET detail = 'other'",
            "UPDATE audit SET subject = 't', detail = ''",
            "REPLACE INTO audit (no, at, who, kind, subject, detail) VALUES (1, 2, 'b', 'k', 's', 'd')",
            "UPDATE OR REPLACE audit SET no = 7",
        ):
            with pytest.raises(apsw.ConstraintError, match="the audit"):
                connection.execute(change)
        connection.execute("UPDATE audit SET detail = '', address = ''")
    with closing(open_reader(file)) as connection:
        assert connection.execute("SELECT at, who, kind, subject, detail FROM audit").fetchall() == [
            (1, "a", "k", "s", "")
        ]


async def test_who_signs_in_with_a_key_goes_by_its_name_and_not_by_one_that_he_writes(tmp_path: Path) -> None:
    async with opened(tmp_path, TOKEN=TOKEN) as shop:
        order_id = await shop.place()
        await shop.until(order_id, Status.PAID)
        asked = {"name": "till", "scopes": ["orders:read", "orders:write"]}
        mine = {"Authorization": f"Bearer {TOKEN}", "Accept": "*/*"}
        made = (await shop.client.post("/keys", json=asked, headers=mine)).json()
        await shop.client.post("/console/sign-in", data={"token": made["secret"], "name": "Ada"})
        await shop.send(f"/console/orders/{order_id}/cancel")

    who = [entry[0] for entry in entries(tmp_path) if entry[2] == order_id]
    assert who == [f"till ({made['key']['id']})"]
