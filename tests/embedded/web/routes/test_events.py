"""Events of payment providers over HTTP: stored before the answer, processed once, dead when they cannot be."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import httpx
import pytest

from demo.behaviour import Act
from expediter.app.payments.signature import signature
from expediter.embedded.clock import new_id
from tests.embedded.web.conftest import PLAIN, Opened, Served
from tests.support.town import Town, standing

T = TypeVar("T")

pytestmark = pytest.mark.anyio

SECRETS = {"PAYMENTS_WEBHOOK_SECRET": "whsec_old, whsec_new", "STRIPE_WEBHOOK_SECRET": "whsec_stripe"}


@pytest.fixture(scope="module")
def town() -> Any:
    with standing() as found:
        yield found


async def send(
    served: Served, body: bytes, secret: str = "whsec_new", provider: str = "payments", at: int | None = None
) -> httpx.Response:
    seconds = int(time.time()) if at is None else at
    header = {"payments": "Payments-Signature", "stripe": "Stripe-Signature"}[provider]
    signed = {header: f"t={seconds},v1={signature(body, secret, seconds)}", "Content-Type": "application/json"}
    return await served.client.post(f"/webhooks/{provider}", content=body, headers=signed)


async def soon(happened: Callable[[], Awaitable[T]]) -> T:
    """What it gives, once that is something."""
    while True:
        if found := await happened():
            return found
        await asyncio.sleep(0)


async def pending(served: Served, town: Town) -> str:
    order_id = new_id()
    town.bank.script("charge", Act.PEND, order_id=order_id)
    await served.client.post("/orders", json=PLAIN, headers={"Idempotency-Key": order_id})

    async def shown() -> bool:
        return "payment" in (await served.client.get(f"/orders/{order_id}")).json()

    await soon(shown)
    return order_id


async def ended(served: Served, order_id: str) -> str:
    async def moved() -> str | None:
        status = (await served.client.get(f"/orders/{order_id}")).json()["order_status"]
        return None if status == "PENDING" else str(status)

    return str(await soon(moved))


async def dead(served: Served) -> list[Any]:
    async def listed() -> list[Any]:
        return list((await served.client.get("/webhooks/dead-letters")).json()["items"])

    return await soon(listed)


@pytest.mark.parametrize("secret", ["whsec_old", "whsec_new"])
async def test_an_event_has_its_order_go_on(opened: Opened, town: Town, secret: str) -> None:
    async with opened(HOLD_SECONDS="3600", **town.settings, **SECRETS) as served:
        order_id = await pending(served, town)
        shown = (await served.client.get(f"/orders/{order_id}")).json()["payment"]
        assert shown == {
            "status": "pending",
            "client_secret": None,
            "redirect_url": f"https://bank.example/{order_id}/charge",
        }
        town.bank.complete(order_id)
        event = json.dumps({"id": f"evt-{order_id}", "order_id": order_id}).encode()
        assert [(await send(served, event, secret)).status_code for _ in range(3)] == [204, 204, 204]

        assert await ended(served, order_id) == "PAID"
        assert town.moves(order_id) == ["charge"]


async def test_a_customer_who_comes_back_has_his_order_go_on(opened: Opened, town: Town) -> None:
    async with opened(HOLD_SECONDS="3600", **town.settings) as served:
        order_id = await pending(served, town)
        assert (await served.client.post(f"/orders/{order_id}/payment")).status_code == 200
        town.bank.complete(order_id)
        await served.client.post(f"/orders/{order_id}/payment")

        assert await ended(served, order_id) == "PAID"


async def test_an_event_that_is_not_signed_right_is_refused_and_not_stored(opened: Opened) -> None:
    async with opened(**SECRETS) as served:
        body = b'{"id": "e-1", "order_id": "o-1"}'
        for answer in (
            await send(served, body, "another"),
            await send(served, body, at=int(time.time()) - 301),
            await served.client.post("/webhooks/payments", content=body),
        ):
            assert (answer.status_code, answer.json()["error"]) == (400, "SignatureRefused")
        assert served.home.read_as_operator(lambda it: it.events.count_dead()) == 0
        assert "expediter_events_unknown 0.0" in served.home.metrics().decode()


async def test_without_a_secret_no_event_is_taken(opened: Opened) -> None:
    async with opened() as served:
        assert (await send(served, b"{}")).status_code == 404


async def test_an_event_from_which_nothing_follows_is_kept_and_counted(opened: Opened) -> None:
    async with opened(**SECRETS) as served:
        body = b'{"id": "evt_1", "type": "charge.captured.later", "data": {"object": {}}}'
        for _ in range(2):
            assert (await send(served, body, "whsec_stripe", "stripe")).status_code == 204

        async def counted() -> bool:
            return "expediter_events_unknown 1.0" in served.home.metrics().decode()

        await soon(counted)


async def test_an_event_that_cannot_be_read_is_dead_and_can_be_sent_back_or_removed(opened: Opened) -> None:
    async with opened(**SECRETS) as served:
        for _ in range(2):
            assert (await send(served, b"no json")).status_code == 204
        (one,) = await dead(served)
        assert (one["provider"], one["type"], one["body"]) == ("payments", "unreadable", "no json")

        assert (await served.client.post(f"/webhooks/dead-letters/{one['id']}/redrive")).status_code == 204
        await dead(served)
        assert (await served.client.delete(f"/webhooks/dead-letters/{one['id']}")).status_code == 204
        assert (await served.client.delete(f"/webhooks/dead-letters/{one['id']}")).status_code == 404
        assert (await served.client.get("/webhooks/dead-letters")).json() == {"items": [], "count": 0}


async def test_an_event_may_be_a_mebibyte_long_and_nothing_else_may(opened: Opened) -> None:
    async with opened(**SECRETS) as served:
        event = json.dumps({"id": "evt_1", "type": "x", "data": {"object": {}}, "more": "x" * 1_000_000}).encode()
        assert (await send(served, event, "whsec_stripe", "stripe")).status_code == 204
        assert (await send(served, event + b" " * 50_000, "whsec_stripe", "stripe")).status_code == 413
        assert (await served.client.post("/orders", content=event)).status_code == 413
