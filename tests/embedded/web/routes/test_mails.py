"""Mails over REST: listed, shown with an order, and sent once more."""

from pathlib import Path
from typing import Any

import pytest

from expediter.domain.order import Status
from expediter.embedded.clock import new_id
from tests.console.shop import Shop, opened

pytestmark = pytest.mark.anyio


async def ended(shop: Shop, email: str = "ann@example.com") -> str:
    order_id = await shop.place(email=email)
    await shop.until(order_id, Status.SUCCESS)
    return order_id


async def get(shop: Shop, path: str) -> Any:
    return (await shop.client.get(path)).raise_for_status().json()


async def test_the_mails_of_an_order_are_given_with_their_text(tmp_path: Path) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0") as shop:
        order_id = await ended(shop)
        (mail,) = (await get(shop, f"/orders/{order_id}/mails"))["items"]
        unknown = await shop.client.get(f"/orders/{new_id()}/mails")

    assert (mail["order_id"], mail["status"], mail["recipient"]) == (order_id, "SUCCESS", "ann@example.com")
    assert "Your order is paid" in mail["text"]
    assert (mail["next_at"], mail["sent_at"]) == (None, None)
    assert unknown.status_code == 404


async def test_all_mails_are_listed_page_by_page_the_newest_orders_first(tmp_path: Path) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0") as shop:
        placed = [await ended(shop, email) for email in ("ann@example.com", "bob@example.com", "cy@example.com")]
        pages, cursor, cursors = [], "", []
        while cursor is not None:
            page = await get(shop, f"/mails?limit=2{cursor and f'&cursor={cursor}'}")
            pages.append([mail["order_id"] for mail in page["items"]])
            cursor = page["cursor"]
            cursors.append(cursor)
        refused = [await shop.client.get(f"/mails?{query}") for query in ("limit=0", "cursor=%C3%A4", "after=1")]

    assert pages == [placed[:0:-1], placed[:1]]
    assert "example.com" not in str(cursors)  # addresses end up in the logs of proxies
    assert [answer.status_code for answer in refused] == [422, 422, 422]


async def test_without_a_mail_server_none_is_sent_again(tmp_path: Path) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0") as shop:
        order_id = await ended(shop)
        answer = await shop.client.post(f"/orders/{order_id}/mails/resend", json={})

    assert (answer.status_code, answer.json()["error"]) == (409, "NoMailServer")


async def test_unsent_mails_are_sent_again_or_those_to_one_address(tmp_path: Path) -> None:
    nobody = "smtp://127.0.0.1:9"
    async with opened(tmp_path, HOLD_SECONDS="0", SMTP_URL=nobody, NOTIFY="op@example.com") as shop:
        order_id = await ended(shop)
        path = f"/orders/{order_id}/mails/resend"
        answers = [await shop.client.post(path, json=body) for body in ({}, {"recipient": "op@example.com"})]
        wrong = await shop.client.post(path, json={"recipient": "else@example.com"})
        refused = [await shop.client.post(path, json=body) for body in ({"to": "x"}, {"recipient": 1})]
        no_json = await shop.client.post(path, content=b"{", headers={"Content-Type": "application/json"})
        acts = (await get(shop, "/audit"))["items"]

    assert [answer.json() for answer in answers] == [{"resent": 2}, {"resent": 1}]
    assert wrong.status_code == 404
    assert [answer.status_code for answer in (*refused, no_json)] == [422, 422, 400]
    assert [act["kind"] for act in acts] == ["had a mail resent"] * 3
    assert {act["subject"] for act in acts} == {order_id}


async def test_the_audit_is_listed_page_by_page_newest_first(tmp_path: Path) -> None:
    async with opened(tmp_path) as shop:
        for _ in range(3):
            await shop.client.post(f"/orders/{await shop.place()}/cancel")
        first = await get(shop, "/audit?limit=2")
        second = await get(shop, f"/audit?limit=2&cursor={first['cursor']}")
        refused = await shop.client.get("/audit?cursor=x")

    numbers = [entry["no"] for entry in (*first["items"], *second["items"])]
    assert numbers == sorted(numbers, reverse=True)
    assert (len(numbers), second["cursor"], refused.status_code) == (3, None, 422)
    assert {entry["kind"] for entry in first["items"]} == {"cancelled it"}
