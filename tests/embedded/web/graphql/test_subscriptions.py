"""What a client that follows an order gets to see of it."""

import pytest

from tests.embedded.web.conftest import Opened
from tests.embedded.web.graphql.sockets import FOLLOW, Client, connected, following, placed
from tests.embedded.web.wire import until

pytestmark = pytest.mark.anyio


async def test_a_change_of_the_order_arrives(serving: Opened) -> None:
    async with serving() as served, connected(served) as client:
        order_id = await placed(served)
        await following(served, client, order_id)
        await served.client.put(f"/orders/{order_id}", json={"restaurant_id": "new"})
        message = await client.hear()
        while message["payload"]["data"]["orderUpdated"]["restaurantId"] != "new":
            message = await client.hear()
        assert (message["type"], message["id"]) == ("next", "1")
        assert message["payload"]["data"]["orderUpdated"]["id"] == order_id


async def test_an_order_is_followed_to_its_end(serving: Opened) -> None:
    async with serving() as served, connected(served) as client:
        order_id = await placed(served)
        await following(served, client, order_id)
        await served.client.post(f"/orders/{order_id}/cancel")
        status = ""
        while status not in {"CANCELLED", "REFUND_PENDING"}:
            status = (await client.hear())["payload"]["data"]["orderUpdated"]["orderStatus"]


async def to_the_end(client: Client) -> list[str]:
    """The states that a subscription shows until it completes."""
    shown = []
    while (message := await client.hear())["type"] == "next":
        shown.append(message["payload"]["data"]["orderUpdated"]["orderStatus"])
    assert message == {"type": "complete", "id": "1"}
    return shown


async def test_a_follower_of_an_order_gets_its_present_state_first(serving: Opened) -> None:
    async with serving() as served, connected(served) as client:
        order_id = await placed(served)
        await client.say("subscribe", "1", query=FOLLOW, variables={"id": order_id})
        message = await client.hear()
        assert message["payload"]["data"]["orderUpdated"]["id"] == order_id


async def test_a_subscription_completes_once_the_order_has_ended(serving: Opened) -> None:
    async with serving(HOLD_SECONDS="0") as served, connected(served) as client:
        await client.say("subscribe", "1", query=FOLLOW, variables={"id": await placed(served)})
        shown = await to_the_end(client)
        assert shown[-1] == "SUCCESS"
        assert served.home.feed.listeners == 0


async def test_who_comes_after_the_end_sees_the_ended_order_and_that_nothing_follows(serving: Opened) -> None:
    async with serving(HOLD_SECONDS="0") as served:
        order_id = await placed(served)
        async with connected(served) as client:
            await client.say("subscribe", "1", query=FOLLOW, variables={"id": order_id})
            await to_the_end(client)
        async with connected(served) as client:  # as after a lost connection
            await client.say("subscribe", "1", query=FOLLOW, variables={"id": order_id})
            assert await to_the_end(client) == ["SUCCESS"]
            assert served.home.feed.listeners == 0


async def test_other_orders_are_not_seen(serving: Opened) -> None:
    async with serving() as served, connected(served) as client:
        mine, other = await placed(served), await placed(served)
        await following(served, client, mine)
        await served.client.post(f"/orders/{other}/cancel")
        await served.client.put(f"/orders/{mine}", json={"restaurant_id": "new"})
        seen = {"restaurantId": ""}
        while seen["restaurantId"] != "new":
            seen = (await client.hear())["payload"]["data"]["orderUpdated"]
            assert seen["id"] == mine


async def test_an_order_that_is_not_there_cannot_be_followed(serving: Opened) -> None:
    async with serving() as served, connected(served) as client:
        await client.say("subscribe", "1", query=FOLLOW, variables={"id": "x"})
        answer = await client.hear()
        assert (answer["type"], answer["id"]) == ("error", "1")
        assert answer["payload"][0]["extensions"]["code"] == "OrderNotFound"


async def test_who_ends_a_subscription_hears_no_more_of_it(serving: Opened) -> None:
    async with serving() as served, connected(served) as client:
        order_id = await placed(served)
        await following(served, client, order_id)
        await client.say("complete", "1")
        await client.say("ping")
        while (await client.hear())["type"] != "pong":
            pass
        assert served.home.feed.listeners == 0
        await served.client.put(f"/orders/{order_id}", json={"restaurant_id": "new"})
        await client.say("ping")
        assert await client.hear() == {"type": "pong"}


async def test_who_goes_away_is_no_longer_told(serving: Opened) -> None:
    async with serving() as served:
        async with connected(served) as client:
            await following(served, client, await placed(served))
            assert served.home.feed.listeners == 1
        await until(lambda: served.home.feed.listeners == 0)
