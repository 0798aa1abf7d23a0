"""Names and values of the caller's own, which an order carries: the same over REST and GraphQL."""

from typing import Any

import pytest

from expediter.domain.errors import OrderInvalid
from expediter.domain.order import nameless
from tests.api.conftest import Api, header, shown

PLAIN = {"user_id": "u", "quantity": 1, "restaurant_id": "r"}
PAIRS = {"table": "7", "Größe": "a: b", "empty": ""}
KEY = "0192f0c1-2345-7abc-8def-0123456789ab"


def placed(api: Api, metadata: Any, key: str = "") -> str:
    return header(api.rest("postOrder", {**PLAIN, "metadata": metadata}, idempotency_key=key), "Order-Id") or ""


def listed(pairs: dict[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in pairs.items()]


def test_it_is_shown_before_and_after_the_workflow_has_begun(api: Api) -> None:
    order_id = placed(api, PAIRS)
    for _ in range(2):
        assert shown(api.rest("getOrder", id=order_id))["metadata"] == PAIRS
        assert api.graphql("Query.order", id=order_id)["metadata"] == listed(PAIRS)
        api.take_in()


def test_graphql_takes_it_as_pairs(api: Api) -> None:
    given = {"restaurantId": "r", "quantity": 1, "metadata": listed(PAIRS)}
    order_id = api.graphql("Mutation.postOrder", input=given)["id"]
    assert shown(api.rest("getOrder", id=order_id))["metadata"] == PAIRS
    with pytest.raises(OrderInvalid, match="given twice"):
        api.graphql("Mutation.postOrder", input={**given, "metadata": listed({"a": "1"}) * 2})


def test_an_order_with_other_metadata_is_another_order_and_their_sequence_does_not_count(api: Api) -> None:
    first = placed(api, {"a": "1", "b": "2"}, key=KEY)
    again = api.rest("postOrder", {**PLAIN, "metadata": {"b": "2", "a": "1"}}, idempotency_key=KEY)
    other = api.rest("postOrder", {**PLAIN, "metadata": {"a": "1"}}, idempotency_key=KEY)
    assert (header(again, "Order-Id"), header(again, "Idempotent-Replayed")) == (first, "true")
    assert (other.status, shown(other)["error"]) == (422, "IdempotencyKeyReused")


@pytest.mark.parametrize(
    ("metadata", "told"),
    [
        ({str(number): "" for number in range(21)}, "at most 20 fields"),
        ({"": "x"}, ": at least 1 character"),
        ({"k" * 41: "x"}, f"{'k' * 20}: at most 40 characters"),
        ({"k": "x" * 501}, "k: at most 500 characters"),
        ({"k": "a\nb"}, "k: text without control characters"),
        ({"k": 1}, "k: text, not a whole number"),
        ({"k": {}}, "k: text, not an object"),
        ({"\u00e9": "1", "e\u0301": "2"}, "two of its names are the same text (in Unicode's NFC)"),
        ({"card": "4111 1111 1111 1111"}, "looks like the number of a card"),
        ([], "an object or null, not a list"),
    ],
)
def test_what_is_not_allowed_is_told_with_its_name(api: Api, metadata: Any, told: str) -> None:
    refused = api.rest("postOrder", {**PLAIN, "metadata": metadata})
    assert refused.status == 422
    assert [fault["path"] for fault in shown(refused)["errors"]] == ["metadata"]
    assert shown(refused)["errors"][0]["message"].startswith(told)


def test_it_goes_with_the_customer_when_he_is_erased(api: Api) -> None:
    order_id = placed(api, PAIRS)
    api.take_in()
    order = api.work().orders.find(order_id)
    assert order is not None
    assert order.metadata == PAIRS
    assert not nameless(order).metadata
