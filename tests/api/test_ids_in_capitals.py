"""A UUID is the same in capitals: whoever sent one as his key finds his order under it (RFC 9562, section 4)."""

import pytest

from tests.api.conftest import Api, header, shown

KEY = "AAAA0005-1111-7111-8111-1111111111AB"
PLAIN = {"user_id": "Ann", "quantity": 1, "restaurant_id": "R"}


@pytest.mark.parametrize("taken_in", [False, True])
def test_an_order_is_found_under_the_key_as_it_was_sent(api: Api, taken_in: bool) -> None:
    assert header(api.rest("postOrder", PLAIN, idempotency_key=KEY), "Order-Id") == KEY.lower()
    if taken_in:
        api.take_in()
    assert shown(api.rest("getOrder", id=KEY))["id"] == KEY.lower()
    assert shown(api.rest("getTimeline", id=KEY))["order_id"] == KEY.lower()
    assert api.graphql("Query.order", id=KEY)["id"] == KEY.lower()
    assert api.rest("putOrder", {"restaurant_id": "other"}, id=KEY).status == 204
    assert shown(api.rest("cancelOrder", id=KEY))["id"] == KEY.lower()
    assert api.graphql("Mutation.deleteOrder", id=KEY) == KEY.lower()


def test_a_page_goes_on_behind_an_id_in_capitals(api: Api) -> None:
    first = header(api.rest("postOrder", PLAIN), "Order-Id") or ""
    second = header(api.rest("postOrder", PLAIN, idempotency_key=KEY), "Order-Id")
    api.take_in()
    assert second == KEY.lower()
    assert [order["id"] for order in api.graphql("Query.orders", after=KEY)] == [first]
