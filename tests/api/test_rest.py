"""The REST API, request value by request value."""

import json

import pytest

from expediter.api.access import TokenClaims, caller_of
from expediter.app.ports import Caller
from expediter.domain.order import Status
from tests.api.conftest import Api, header, shown

PLAIN = {"user_id": "Burger_20", "quantity": "3", "restaurant_id": "Restaurant 4"}
KEY = "0192f0c1-2345-7abc-8def-0123456789ab"
OTHER = "0192f0c1-2345-7abc-8def-0123456789ac"


def placed(api: Api, **changes: object) -> str:
    order_id = header(api.rest("postOrder", {**PLAIN, **changes}), "Order-Id")
    assert order_id
    return order_id


# ── accept ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_order_is_accepted_without_a_body_and_says_where_it_is(api: Api) -> None:
    response = api.rest("postOrder", PLAIN)
    order_id = header(response, "Order-Id")
    assert (response.status, response.body) == (204, b"")
    assert header(response, "Location") == f"/orders/{order_id}"


def test_an_accepted_order_is_on_the_queue(api: Api) -> None:
    order_id = placed(api)
    (message,) = api.work().queue.receive(5, api.now)
    assert message.attributes["order_id"] == order_id
    assert json.loads(message.body)["quantity"] == "3"


def test_an_order_can_be_read_at_once_with_the_fields_of_the_design(api: Api) -> None:
    order_id = placed(api)
    assert shown(api.rest("getOrder", id=order_id)) == {
        "id": order_id,
        "user_id": "Burger_20",
        "restaurant_id": "Restaurant 4",
        "name": "item",
        "quantity": 3,
        "items": [{"name": "item", "quantity": 3, "unit_price": 1000}],
        "total": 3000,
        "currency": "USD",
        "order_status": "PENDING",
        "error_message": None,
        "created_at": "2027-01-15T08:00:00.000Z",
        "updated_at": "2027-01-15T08:00:00.000Z",
        "metadata": {},
    }


@pytest.mark.parametrize(
    "prefer", ["return=representation", "respond-async, return=representation", 'Return = "representation"; x=1']
)
def test_who_prefers_the_representation_gets_the_order(api: Api, prefer: str) -> None:
    response = api.rest("postOrder", PLAIN, prefer=prefer)
    assert response.status == 201
    assert shown(response)["order_status"] == "PENDING"
    assert header(response, "Location") == f"/orders/{shown(response)['id']}"
    assert header(response, "Preference-Applied") == "return=representation"


def test_the_idempotency_key_becomes_the_order_s_id(api: Api) -> None:
    assert header(api.rest("postOrder", PLAIN, idempotency_key=KEY), "Order-Id") == KEY


@pytest.mark.parametrize("key", [f'"{KEY}"', KEY.upper()])
def test_a_key_in_quotes_or_capitals_is_the_same_key(api: Api, key: str) -> None:
    api.rest("postOrder", PLAIN, idempotency_key=KEY)
    again = api.rest("postOrder", PLAIN, idempotency_key=key)
    assert (header(again, "Order-Id"), header(again, "Idempotent-Replayed")) == (KEY, "true")


def test_the_same_order_again_under_its_key_is_answered_the_same_and_not_placed_twice(api: Api) -> None:
    first = api.rest("postOrder", PLAIN, idempotency_key=KEY)
    again = api.rest("postOrder", dict(reversed(PLAIN.items())), idempotency_key=KEY)
    assert again.status == first.status
    assert again.headers == (*first.headers, ("Idempotent-Replayed", "true"))
    assert len(api.work().queue.receive(5, api.now)) == 1


@pytest.mark.parametrize("other", [{"quantity": 4}, {"user_id": "Somebody"}, {"email": "a@b"}])
def test_another_order_under_a_used_key_is_refused(api: Api, other: dict[str, object]) -> None:
    api.rest("postOrder", PLAIN, idempotency_key=KEY)
    refused = api.rest("postOrder", {**PLAIN, **other}, idempotency_key=KEY)
    assert (refused.status, shown(refused)["error"]) == (422, "IdempotencyKeyReused")


@pytest.mark.parametrize("key", ["", '""'])
def test_an_empty_key_is_none(api: Api, key: str) -> None:
    first, second = (api.rest("postOrder", PLAIN, idempotency_key=key) for _ in range(2))
    assert first.status == second.status == 204
    assert header(first, "Order-Id") != header(second, "Order-Id")


@pytest.mark.parametrize("keys", [f"{KEY}, {OTHER}", f'"{KEY}", {OTHER}', f"{KEY}, x", f"{KEY}, , {OTHER}"])
def test_two_different_keys_are_no_request(api: Api, keys: str) -> None:
    refused = api.rest("postOrder", PLAIN, idempotency_key=keys)
    assert (refused.status, shown(refused)["error"]) == (400, "RequestUnparsable")
    assert "Idempotency-Key is given twice" in shown(refused)["detail"]


@pytest.mark.parametrize("keys", [f"{KEY}, {KEY}", f'{KEY}, "{KEY.upper()}"', f"{KEY}, ", f", {KEY}"])
def test_the_same_key_twice_is_one(api: Api, keys: str) -> None:
    assert header(api.rest("postOrder", PLAIN, idempotency_key=keys), "Order-Id") == KEY


@pytest.mark.parametrize("field", ["id", "idempotency_key"])
@pytest.mark.parametrize("value", [KEY, "", None, 17])
def test_a_key_in_the_body_gets_a_hint_to_the_header(api: Api, field: str, value: object) -> None:
    refused = api.rest("postOrder", {**PLAIN, field: value})
    assert refused.status == 422
    assert "a new order's key goes into the header Idempotency-Key" in shown(refused)["detail"]


@pytest.mark.parametrize("key", ['"  "', "x" * 256, "caf\u00e9"])
def test_a_key_that_is_too_long_or_not_printable_is_refused(api: Api, key: str) -> None:
    refused = api.rest("postOrder", PLAIN, idempotency_key=key)
    assert (refused.status, shown(refused)["errors"][0]["path"]) == (422, "Idempotency-Key")


def test_two_identical_orders_without_a_key_are_two_orders(api: Api) -> None:
    assert placed(api) != placed(api)
    assert len(api.work().queue.receive(5, api.now)) == 2


# ── what is not accepted ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("body", [b"", b"{", b'{"user_id": "\xff"}', b'"\\ud800"', b"\xef\xbb\xbf{}", b"[" * 60_000])
def test_a_body_that_is_no_json_is_unparsable(api: Api, body: bytes) -> None:
    refused = api.rest("postOrder", body)
    assert refused.status in {400, 422}
    assert shown(refused)["error"] in {"RequestUnparsable", "OrderInvalid"}


def test_broken_json_is_400_and_says_where(api: Api) -> None:
    refused = api.rest("postOrder", b'{"user_id": }')
    assert (refused.status, shown(refused)["error"]) == (400, "RequestUnparsable")
    assert "byte 12" in shown(refused)["detail"]


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"quantity": 0}, "quantity"),
        ({"quantity": None}, "quantity"),
        ({"name": "a", "items": [{"name": "a", "quantity": 1}]}, "items"),
        ({"quantity": None, "items": [{"name": "a", "quantity": "x"}]}, "items[0].quantity"),
        ({"currency": "DEM"}, "currency"),
        ({"user_id": "a\nb"}, "user_id"),
        ({"quantity": 2**31 - 1}, ""),
    ],
)
def test_an_order_that_is_not_valid_says_which_field(api: Api, changes: dict[str, object], path: str) -> None:
    refused = api.rest("postOrder", {**PLAIN, **changes})
    assert refused.status == 422
    assert header(refused, "Content-Type") == "application/problem+json"
    assert [fault["path"] for fault in shown(refused)["errors"]] == [path]


@pytest.mark.parametrize("media", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonx"])
def test_a_body_of_another_media_type_is_unsupported(api: Api, media: str) -> None:
    assert api.rest("postOrder", PLAIN, content_type=media).status == 415


def test_the_media_type_s_parameters_do_not_matter(api: Api) -> None:
    assert api.rest("postOrder", PLAIN, content_type="Application/JSON ; charset=utf-8").status == 204


def test_nothing_of_a_refused_order_is_left(api: Api) -> None:
    api.rest("postOrder", {**PLAIN, "quantity": 0}, idempotency_key=KEY)
    assert api.rest("postOrder", PLAIN, idempotency_key=KEY).headers == (
        ("Location", f"/orders/{KEY}"),
        ("Order-Id", KEY),
    )


# ── read and list ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_order_that_is_not_there_is_a_problem_with_the_error_s_name(api: Api) -> None:
    response = api.rest("getOrder", id=KEY)
    assert response.status == 404
    assert shown(response) == {
        "type": "/errors/OrderNotFound",
        "error": "OrderNotFound",
        "title": "Order not found",
        "status": 404,
        "detail": f"There is no order {KEY}. Check the id.",
    }


def test_nobody_reads_another_s_order(api: Api) -> None:
    order_id = placed(api)
    somebody, owner = Caller("Somebody", operator=False), Caller("Burger_20", operator=False)
    for operation in ("getOrder", "deleteOrder", "cancelOrder", "getTimeline", "getLedger"):
        assert api.rest(operation, id=order_id, caller=somebody).status == 404
    assert api.rest("getOrder", id=order_id, caller=owner).status == 200


def test_a_known_customer_orders_for_himself(api: Api) -> None:
    ann, unsigned = caller_of(TokenClaims("Ann")), {name: value for name, value in PLAIN.items() if name != "user_id"}
    for body in (unsigned, {**unsigned, "name": '{"user_id": "Bob"}'}, {**unsigned, "user_id": "Ann"}):
        order_id = header(api.rest("postOrder", body, caller=ann), "Order-Id")
        assert order_id
        assert shown(api.rest("getOrder", id=order_id, caller=ann))["user_id"] == "Ann"
    refused = api.rest("postOrder", {**unsigned, "user_id": "Bob"}, caller=ann)
    assert (refused.status, shown(refused)["error"]) == (403, "OwnerRefused")


_TWICE = [b'{"quantity": 1, "quantity": 1, "restaurant_id": "r"}', b'{"user_id": "Ann", "user\\u005fid": "Bob"}']


@pytest.mark.parametrize("body", [b"", b"[]", b'"text"', b"{", b"{}", b"{,}", b'{"quantity": 1} {}', *_TWICE])
def test_what_a_known_customer_sends_is_read_as_strictly_as_anybodys(api: Api, body: bytes) -> None:
    assert api.rest("postOrder", body, caller=caller_of(TokenClaims("Ann"))).status in {400, 422}


def test_a_customers_key_stands_for_another_order_than_anybody_elses(api: Api) -> None:
    plain = {"restaurant_id": "r", "quantity": 1}
    ids = [
        header(api.rest("postOrder", {**plain, "user_id": user}, caller=caller, idempotency_key=KEY), "Order-Id")
        for user, caller in (
            ("x", Caller()),
            ("Ann", caller_of(TokenClaims("Ann"))),
            ("Bob", caller_of(TokenClaims("Bob"))),
        )
        for _ in range(2)
    ]
    assert ids[::2] == ids[1::2]
    assert len(set(ids)) == 3
    assert ids[0] == KEY


def listed(api: Api, **query: str) -> dict[str, object]:
    found: dict[str, object] = shown(api.rest("listOrders", query=tuple(query.items())))
    return found


def saved(api: Api, number: int) -> list[str]:
    order_ids = [placed(api, user_id=f"user {n % 2}", restaurant_id=f"restaurant {n % 3}") for n in range(number)]
    while api.take_in():
        pass
    return order_ids


def test_orders_are_listed_newest_first_page_by_page(api: Api) -> None:
    order_ids = saved(api, 5)
    found, cursor = [], ""
    while cursor is not None:
        page = shown(api.rest("listOrders", query=(("limit", "2"), *((("cursor", cursor),) if cursor else ()))))
        found += [order["id"] for order in page["items"]]
        cursor = page["cursor"]
    assert found == order_ids[::-1]


def test_the_list_can_be_narrowed(api: Api) -> None:
    saved(api, 6)
    one = listed(api, user_id="user 1", restaurant_id="restaurant 2", order_status="PENDING")
    assert [(order["user_id"], order["restaurant_id"]) for order in one["items"]] == [("user 1", "restaurant 2")]  # type: ignore[attr-defined]  # JSON
    assert listed(api, order_status="SUCCESS") == {"items": [], "cursor": None}


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ((("limit", "0"),), "limit"),
        ((("limit", "101"),), "limit"),
        ((("limit", "٣"),), "limit"),
        ((("limit", ""),), "limit"),
        ((("limit", "1"), ("limit", "2")), "limit"),
        ((("order_status", "paid"),), "order_status"),
        ((("cursor", "x"),), "cursor"),
        ((("status", "PAID"),), "status"),
    ],
)
def test_a_parameter_that_is_not_valid_is_named(api: Api, query: tuple[tuple[str, str], ...], path: str) -> None:
    refused = api.rest("listOrders", query=query)
    assert (refused.status, shown(refused)["errors"][0]["path"]) == (422, path)
    assert shown(refused)["detail"].startswith(f"The list cannot be given as it was asked for: {path}: ")


# ── change, cancel, delete ────────────────────────────────────────────────────────────────────────────────────────


def test_an_order_is_changed_while_it_waits(api: Api) -> None:
    order_id = placed(api)
    api.now += 1500
    assert api.rest("putOrder", {"quantity": 5, "email": "a@b"}, id=order_id).status == 204
    order = shown(api.rest("getOrder", id=order_id))
    assert (order["quantity"], order["total"], order["updated_at"]) == (5, 5000, "2027-01-15T08:00:01.500Z")


def test_an_order_keeps_its_user(api: Api) -> None:
    refused = api.rest("putOrder", {"user_id": "Somebody"}, id=placed(api))
    assert (refused.status, shown(refused)["errors"][0]["path"]) == (422, "user_id")


def test_a_cancelled_order_shows_it_at_once_and_cannot_be_changed(api: Api) -> None:
    order_id = placed(api)
    cancelled = api.rest("cancelOrder", id=order_id)
    assert (cancelled.status, shown(cancelled)["order_status"]) == (200, Status.CANCELLED)
    assert api.rest("cancelOrder", id=order_id).status == 200
    refused = api.rest("putOrder", {"quantity": 5}, id=order_id)
    assert (refused.status, shown(refused)["error"]) == (409, "OrderAlreadyEnded")


def test_deleting_an_order_in_flight_cancels_it_and_deleting_it_again_hides_it(api: Api) -> None:
    order_id = placed(api)
    assert api.rest("deleteOrder", id=order_id).status == 204
    assert shown(api.rest("getOrder", id=order_id))["order_status"] == "CANCELLED"
    assert api.rest("deleteOrder", id=order_id).status == 204
    assert [api.rest(op, id=order_id).status for op in ("getOrder", "deleteOrder")] == [404, 404]


def test_a_deleted_order_s_key_orders_nothing_new(api: Api) -> None:
    api.rest("postOrder", PLAIN, idempotency_key=KEY)
    api.rest("deleteOrder", id=KEY)
    api.rest("deleteOrder", id=KEY)
    assert header(api.rest("postOrder", PLAIN, idempotency_key=KEY), "Idempotent-Replayed") == "true"
    assert api.rest("getOrder", id=KEY).status == 404


# ── the timeline ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_timeline_is_empty_until_the_workflow_starts(api: Api) -> None:
    order_id = placed(api)
    assert shown(api.rest("getTimeline", id=order_id)) == {"order_id": order_id, "events": [], "pruned": False}


def test_the_timeline_names_events_as_step_functions_does(api: Api) -> None:
    order_id = placed(api)
    api.take_in()
    events = shown(api.rest("getTimeline", id=order_id))["events"]
    assert [event["type"] for event in events[:3]] == [
        "ExecutionStarted",
        "TaskStateEntered",
        "LambdaFunctionScheduled",
    ]
    assert events[0]["at"] == "2027-01-15T08:00:00.000Z"
    assert events[0]["details"]["input"]["order"]["id"] == order_id
