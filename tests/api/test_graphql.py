"""The GraphQL API's resolvers, called as AppSync calls them."""

from typing import Any

import pytest

from expediter.app.access import OwnerRefused
from expediter.app.ports import Caller
from expediter.domain.errors import IdempotencyKeyReused, OrderAlreadyEnded, OrderInvalid, OrderNotFound
from tests.api.conftest import Api, header, shown

PLAIN = {"name": "Burger", "quantity": 3, "restaurantId": "Restaurant 4"}
KEY = "0192f0c1-2345-7abc-8def-0123456789ab"


def post(api: Api, caller: Caller | None = None, key: str | None = None, **changes: Any) -> Any:
    return api.graphql(
        "Mutation.postOrder", caller or Caller(), input={**PLAIN, **changes}, **({"idempotencyKey": key} if key else {})
    )


def faults(api: Api, field: str, **args: Any) -> list[str]:
    with pytest.raises(OrderInvalid) as refused:
        api.graphql(field, **args)
    return [fault.path for fault in refused.value.faults]


def test_a_posted_order_comes_back_with_its_id_and_pending(api: Api) -> None:
    order = post(api)
    assert order["id"] == "00000000-0000-7000-8000-000000000001"
    assert order["orderStatus"] == "PENDING"
    assert (order["name"], order["quantity"], order["restaurantId"]) == ("Burger", 3, "Restaurant 4")
    assert order["items"] == [{"name": "Burger", "quantity": 3, "unitPrice": 1000}]
    assert order["createdAt"] == "2027-01-15T08:00:00.000Z"


def test_whose_order_it_is(api: Api) -> None:
    customer, operator = Caller("Ann", operator=False), Caller("Olga", operator=True)
    assert post(api)["userId"] == "anonymous"
    assert post(api, userId="Bob")["userId"] == "Bob"
    assert post(api, customer)["userId"] == "Ann"
    with pytest.raises(OwnerRefused):
        post(api, customer, userId="Bob")
    assert post(api, operator, userId="Bob")["userId"] == "Bob"
    assert post(api, operator)["userId"] == "Olga"


def test_both_apis_lead_to_one_queue(api: Api) -> None:
    post(api, userId="u")
    api.rest("postOrder", {"user_id": "u", "name": "Burger", "quantity": 3, "restaurant_id": "Restaurant 4"})
    first, second = api.work().queue.receive(5, api.now)
    assert first.body == second.body


def test_a_key_used_at_one_api_counts_at_the_other(api: Api) -> None:
    post(api, key=KEY, userId="u")
    body = {"user_id": "u", "name": "Burger", "quantity": 3, "restaurant_id": "Restaurant 4"}
    assert header(api.rest("postOrder", body, idempotency_key=KEY), "Idempotent-Replayed") == "true"
    with pytest.raises(IdempotencyKeyReused):
        post(api, key=KEY, userId="u", quantity=4)


def test_the_same_order_again_under_its_key_is_the_same_order(api: Api) -> None:
    assert post(api, key=KEY) == post(api, key=KEY)
    assert len(api.work().queue.receive(5, api.now)) == 1


@pytest.mark.parametrize(
    ("input", "paths"),
    [
        ({"restaurantId": "r"}, ["input.quantity"]),
        ({"restaurantId": "r", "name": "Burger"}, ["input.quantity"]),
        ({**PLAIN, "quantity": 0}, ["input.quantity"]),
        ({**PLAIN, "restaurantId": ""}, ["input.restaurantId"]),
        ({"restaurantId": "r", "items": [{"name": "a", "quantity": 1, "unitPrice": -1}]}, ["input.items[0].unitPrice"]),
        ({"restaurantId": "r", "items": []}, ["input.items"]),
        ({**PLAIN, "items": [{"name": "a", "quantity": 1}]}, ["input.items"]),
        ({**PLAIN, "currency": "DEM"}, ["input.currency"]),
        ({**PLAIN, "quantity": 2**31 - 1}, ["input"]),
    ],
)
def test_an_order_that_is_not_valid_says_which_argument(api: Api, input: dict[str, Any], paths: list[str]) -> None:
    assert faults(api, "Mutation.postOrder", input=input) == paths


@pytest.mark.parametrize("name", [{}, {"name": None}])
def test_an_order_of_one_thing_needs_no_name_as_over_rest(api: Api, name: dict[str, None]) -> None:
    given = {"restaurantId": "r", "quantity": 1, **name}
    made = api.graphql("Mutation.postOrder", input=given)
    plain = {"restaurant_id": "r", "quantity": 1, "user_id": "anonymous"}
    order_id = header(api.rest("postOrder", plain), "Order-Id")
    assert made["name"] == api.graphql("Query.order", id=order_id)["name"]
    assert made["items"] == api.graphql("Query.order", id=order_id)["items"]


def test_any_printable_key_stands_for_one_order(api: Api) -> None:
    made = [api.graphql("Mutation.postOrder", input=PLAIN, idempotencyKey="my-cart-42")["id"] for _ in range(2)]
    for key in ("my-cart-42", '"my-cart-42"'):
        assert made[0] == made[1] == api.graphql("Query.order", id=key)["id"]


def test_an_order_is_found_under_its_key_in_the_quotes_and_escapes_in_which_it_was_sent(api: Api) -> None:
    made = api.graphql("Mutation.postOrder", input=PLAIN, idempotencyKey=r'"say \"hi\""')["id"]
    assert [api.graphql("Query.order", id=key)["id"] for key in ('say "hi"', r'"say \"hi\""')] == [made, made]


@pytest.mark.parametrize("key", ["  ", "x" * 256, "caf\u00e9"])
def test_a_key_that_is_too_long_or_not_printable_is_refused(api: Api, key: str) -> None:
    assert faults(api, "Mutation.postOrder", input=PLAIN, idempotencyKey=key) == ["idempotencyKey"]


def test_an_empty_key_or_null_is_none(api: Api) -> None:
    given: list[str | None] = ["", "", None]
    made = [api.graphql("Mutation.postOrder", input=PLAIN, idempotencyKey=key)["id"] for key in given]
    assert len(set(made)) == 3


def test_an_order_of_several_items_has_no_name(api: Api) -> None:
    items = [{"name": "a", "quantity": 1, "unitPrice": 5}, {"name": "b", "quantity": 2, "unitPrice": None}]
    order = api.graphql("Mutation.postOrder", input={"restaurantId": "r", "items": items, "name": None})
    assert (order["name"], order["quantity"], order["total"]) == (None, 3, 2005)


def test_an_order_is_changed(api: Api) -> None:
    order_id = post(api, email="a@b")["id"]
    changed = api.graphql("Mutation.updateOrder", input={"id": order_id, "quantity": 1, "email": None})
    assert changed["quantity"] == 1
    found = api.work().orders.find(order_id)
    assert found
    assert found.email is None


def test_a_change_that_is_not_valid_says_which_argument(api: Api) -> None:
    order_id = post(api)["id"]
    assert faults(api, "Mutation.updateOrder", input={"id": order_id, "restaurantId": None}) == ["input.restaurantId"]


def test_a_cancelled_order_says_so_and_cannot_be_changed(api: Api) -> None:
    order_id = post(api)["id"]
    assert api.graphql("Mutation.cancelOrder", id=order_id)["orderStatus"] == "CANCELLED"
    with pytest.raises(OrderAlreadyEnded):
        api.graphql("Mutation.updateOrder", input={"id": order_id, "quantity": 1})


def test_deleting_gives_the_id_and_hides_an_ended_order(api: Api) -> None:
    order_id = post(api)["id"]
    assert [api.graphql("Mutation.deleteOrder", id=order_id) for _ in range(2)] == [order_id, order_id]
    assert api.graphql("Query.order", id=order_id) is None
    with pytest.raises(OrderNotFound):
        api.graphql("Mutation.deleteOrder", id=order_id)


def test_another_s_order_is_not_there(api: Api) -> None:
    order_id = post(api, userId="Ann")["id"]
    stranger = Caller("Bob", operator=False)
    assert api.graphql("Query.order", stranger, id=order_id) is None
    for field in ("Mutation.cancelOrder", "Mutation.deleteOrder", "Subscription.orderUpdated"):
        with pytest.raises(OrderNotFound):
            api.graphql(field, stranger, id=order_id)


def test_an_order_is_published_as_it_is(api: Api) -> None:
    order_id = post(api, userId="Ann")["id"]
    assert api.graphql("Mutation.publishOrder", id=order_id)["id"] == order_id


def test_orders_follow_each_other_newest_first(api: Api) -> None:
    ids = [post(api)["id"] for _ in range(3)]
    api.take_in()
    first = api.graphql("Query.orders", limit=2)
    rest = api.graphql("Query.orders", limit=2, after=first[-1]["id"])
    assert [order["id"] for order in first + rest] == ids[::-1]
    assert api.graphql("Query.orders", orderStatus="SUCCESS") == []
    assert len(api.graphql("Query.orders", limit=None, after=None, orderStatus=None)) == 3


def test_a_customer_sees_his_own_orders_only(api: Api) -> None:
    post(api, userId="Ann")
    post(api, userId="Bob")
    api.take_in()
    assert [order["userId"] for order in api.graphql("Query.orders", Caller("Ann", operator=False))] == ["Ann"]


@pytest.mark.parametrize(
    ("args", "path"), [({"limit": 0}, "limit"), ({"limit": 101}, "limit"), ({"after": "x"}, "after")]
)
def test_a_page_that_cannot_be_is_refused(api: Api, args: dict[str, Any], path: str) -> None:
    assert faults(api, "Query.orders", **args) == [path]
    with pytest.raises(OrderInvalid, match="The list cannot be given as it was asked for: "):
        api.graphql("Query.orders", **args)


def test_both_apis_show_one_order(api: Api) -> None:
    order = post(api)
    rest = shown(api.rest("getOrder", id=order["id"]))
    assert (rest["user_id"], rest["total"], rest["order_status"]) == (
        order["userId"],
        order["total"],
        order["orderStatus"],
    )
