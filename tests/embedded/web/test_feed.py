"""The feed of committed changes."""

import asyncio

import pytest

from expediter.domain.order import CANCELLED, Item, Order, Status
from expediter.embedded.web import feed
from expediter.embedded.web.feed import Changes, Feed, UntilEnded

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def order(order_id: str, version: int = 1, status: Status = Status.PENDING) -> Order:
    items = (Item(name="a", quantity=1, unit_price=1),)
    return Order(order_id, "u", "r", items, "USD", created_at=0, updated_at=0, status=status, version=version)


async def heard(changes: Changes, number: int) -> list[tuple[str, int]]:
    found = [await anext(changes) for _ in range(number)]
    return [(order.id, order.version) for order in found]


async def test_a_listener_hears_of_the_order_it_follows_only() -> None:
    all_changes = Feed()
    with all_changes.subscribe("a") as changes:
        for order_id in ("b", "a", "c"):
            all_changes.publish(order(order_id))
        assert await heard(changes, 1) == [("a", 1)]


async def test_a_listener_may_follow_all_orders() -> None:
    all_changes = Feed()
    with all_changes.subscribe() as changes:
        all_changes.publish(order("a"))
        all_changes.publish(order("b"))
        assert await heard(changes, 2) == [("a", 1), ("b", 1)]


async def test_a_slow_listener_gets_the_newest_state_of_each_order() -> None:
    all_changes = Feed()
    with all_changes.subscribe() as changes:
        for order_id, version in (("a", 1), ("b", 1), ("a", 2), ("a", 3)):
            all_changes.publish(order(order_id, version))
        assert await heard(changes, 2) == [("b", 1), ("a", 3)]


async def test_a_listener_that_waits_is_woken() -> None:
    all_changes = Feed()
    with all_changes.subscribe("a") as changes:
        waiting = asyncio.create_task(heard(changes, 1))
        await asyncio.wait([waiting], timeout=0)
        all_changes.publish(order("a"))
        assert await waiting == [("a", 1)]


async def test_what_waits_for_one_listener_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "WAITING", 2)
    all_changes = Feed()
    with all_changes.subscribe() as changes:
        for order_id in ("a", "b", "c"):
            all_changes.publish(order(order_id))
        assert await heard(changes, 2) == [("b", 1), ("c", 1)]


async def test_who_left_is_forgotten() -> None:
    all_changes = Feed()
    with all_changes.subscribe("a"), all_changes.subscribe("a"):
        assert all_changes.listeners == 2
    assert all_changes.listeners == 0
    all_changes.publish(order("a"))


async def test_one_order_is_followed_from_its_present_state_to_its_end() -> None:
    all_changes = Feed()
    followed = UntilEnded(all_changes.subscribe("a"), order("a", 1))
    assert (await anext(followed)).version == 1
    all_changes.publish(order("a", 2))
    assert (await anext(followed)).version == 2
    all_changes.publish(order("a", 3, CANCELLED))
    assert [it.version async for it in followed] == [3]
    assert all_changes.listeners == 0


async def test_an_order_that_had_ended_is_sent_once() -> None:
    all_changes = Feed()
    followed = UntilEnded(all_changes.subscribe("a"), order("a", 7, CANCELLED))
    assert [it.version async for it in followed] == [7]
    assert all_changes.listeners == 0


async def test_a_change_while_the_first_state_waits_takes_its_place() -> None:
    all_changes = Feed()
    followed = UntilEnded(all_changes.subscribe("a"), order("a", 1))
    all_changes.publish(order("a", 2, CANCELLED))
    assert [it.version async for it in followed] == [2]
