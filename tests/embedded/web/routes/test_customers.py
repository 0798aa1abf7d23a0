"""POST /erasures: who may be forgotten, and what is answered."""

import pytest

from tests.embedded.web.conftest import Opened, Served

pytestmark = pytest.mark.anyio

ORDER = {"user_id": "ada/lovelace ü", "quantity": 1, "restaurant_id": "r", "email": "ada@lovelace.example"}


async def ended(served: Served) -> str:
    """An order that was placed and has come to its end."""
    order_id = (await served.client.post("/orders", json=ORDER)).headers["Order-Id"]
    kinds = list[str]()
    while "ExecutionSucceeded" not in kinds:
        await served.home.write(lambda _: None, "look")
        timeline = (await served.client.get(f"/orders/{order_id}/timeline")).json()
        kinds = [event["type"] for event in timeline["events"]]
    return str(order_id)


async def test_a_customer_is_erased_and_the_order_says_so(opened: Opened) -> None:
    async with opened(HOLD_SECONDS="0") as served:
        order_id = await ended(served)
        answer = await served.client.post("/erasures", json={"user_id": ORDER["user_id"]})
        order = (await served.client.get(f"/orders/{order_id}")).json()
        timeline = (await served.client.get(f"/orders/{order_id}/timeline")).json()
        page = (await served.client.get(f"/console/orders/{order_id}")).text

    assert (answer.status_code, answer.json()) == (200, {"orders": 1, "dead_letters": 0, "remaining": 0})
    assert (order["user_id"], order["name"], order["total"]) == ("(erased)", None, 1000)
    assert (timeline["pruned"], timeline["events"]) == (True, [])
    assert "erased its customer" in page
    assert "lovelace" not in page


async def test_orders_under_way_are_a_conflict_that_names_them(opened: Opened) -> None:
    async with opened() as served:
        order_id = (await served.client.post("/orders", json=ORDER)).headers["Order-Id"]
        answer = await served.client.post("/erasures", json={"user_id": ORDER["user_id"]})

    assert (answer.status_code, answer.json()["error"]) == (409, "OrdersUnderWay")
    assert order_id in answer.json()["detail"]
    assert "lovelace" not in answer.text


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 400), (b"{", 400), (b"{}", 422), (b'{"user_id": ""}', 422), (b'{"user_id": "(erased)"}', 422), (b"[]", 422)],
)
async def test_a_body_that_names_nobody_is_refused(opened: Opened, body: bytes, status: int) -> None:
    async with opened() as served:
        answer = await served.client.post("/erasures", content=body, headers={"Content-Type": "application/json"})
        form = await served.client.post("/erasures", content=body, headers={"Content-Type": "text/plain"})

    assert (answer.status_code, form.status_code) == (status, 415)
    assert status == 400 or answer.json()["detail"].startswith("The customer cannot be forgotten as it was asked for: ")


async def test_only_operators_may(opened: Opened) -> None:
    async with opened(TOKEN="s3cret") as served:
        answer = await served.client.post("/erasures", json={"user_id": "u"})

    assert answer.status_code == 401
