"""POST /erasures: who may be forgotten, and what is answered."""

import pytest

from expediter.app import intake
from expediter.app.drafts import Draft
from expediter.app.ports import Caller
from expediter.embedded.clock import new_id
from tests.embedded.web.conftest import Opened, Served

pytestmark = pytest.mark.anyio

ORDER = {"user_id": "ada/lovelace ü", "quantity": 1, "restaurant_id": "r", "email": "ada@lovelace.example"}


async def ended(served: Served, **fields: str) -> str:
    """An order that was placed and has come to its end."""
    order_id = str((await served.client.post("/orders", json={**ORDER, **fields})).headers["Order-Id"])
    await until_ended(served, order_id)
    return order_id


async def until_ended(served: Served, order_id: str) -> None:
    kinds = list[str]()
    while "ExecutionSucceeded" not in kinds:
        await served.home.write(lambda _: None, "look")
        timeline = (await served.client.get(f"/orders/{order_id}/timeline")).json()
        kinds = [event["type"] for event in timeline["events"]]


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


async def test_both_spellings_of_a_name_are_one_customer_and_are_erased_together(opened: Opened) -> None:
    """ü as one code point, and as u with two dots."""
    async with opened(HOLD_SECONDS="0") as served:
        order_ids = [await ended(served, user_id=name) for name in ("J\u00fcrgen", "Ju\u0308rgen")]
        listed = (await served.client.get("/orders", params={"user_id": "Ju\u0308rgen"})).json()["items"]
        page = (await served.client.get("/console", params={"customer": "Ju\u0308rgen"})).text
        answer = await served.client.post("/erasures", json={"user_id": "Ju\u0308rgen"})
        left = [(await served.client.get(f"/orders/{order_id}")).json()["user_id"] for order_id in order_ids]

    assert {order["id"] for order in listed} == {*order_ids}
    assert all(order_id in page for order_id in order_ids)
    assert answer.json() == {"orders": 2, "dead_letters": 0, "remaining": 0}
    assert left == ["(erased)"] * 2


async def test_an_order_that_an_earlier_version_kept_in_another_spelling_is_erased_too(opened: Opened) -> None:
    async with opened(HOLD_SECONDS="0") as served:
        draft = Draft("Ju\u0308rgen", "r", quantity=1)  # as it was sent: parsed, it would be in NFC
        order_id = new_id()
        await served.home.write(lambda work: intake.accept(work, Caller(), draft, order_id), "postOrder")
        await until_ended(served, order_id)
        answer = await served.client.post("/erasures", json={"user_id": "J\u00fcrgen"})

    assert answer.json() == {"orders": 1, "dead_letters": 0, "remaining": 0}


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
async def test_a_body_without_a_user_is_refused(opened: Opened, body: bytes, status: int) -> None:
    async with opened() as served:
        answer = await served.client.post("/erasures", content=body, headers={"Content-Type": "application/json"})
        form = await served.client.post("/erasures", content=body, headers={"Content-Type": "text/plain"})

    assert (answer.status_code, form.status_code) == (status, 415)
    assert status == 400 or answer.json()["detail"].startswith("The customer cannot be forgotten as it was asked for: ")


async def test_only_operators_may(opened: Opened) -> None:
    async with opened(TOKEN="s3cret") as served:
        answer = await served.client.post("/erasures", json={"user_id": "u"})

    assert answer.status_code == 401


async def test_the_address_of_the_customer_s_page_is_given_until_the_customer_is_erased(opened: Opened) -> None:
    async with opened(HOLD_SECONDS="0") as served:
        order_id = await ended(served)
        address = (await served.client.get(f"/orders/{order_id}/page")).json()["url"]
        page = await served.client.get(address)
        unknown = await served.client.get(f"/orders/{new_id()}/page")
        await served.client.post("/erasures", json={"user_id": ORDER["user_id"]})
        gone = await served.client.get(f"/orders/{order_id}/page")

    assert (page.status_code, "The restaurant has your order" in page.text) == (200, True)
    assert [(answer.status_code, answer.json()["error"]) for answer in (unknown, gone)] == [(404, "OrderNotFound")] * 2
