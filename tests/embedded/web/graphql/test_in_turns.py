"""A document that takes long is checked and answered in turns of the event loop."""

import asyncio
from collections.abc import Awaitable

import pytest

from expediter.embedded import turns
from tests.embedded.web.conftest import Opened, Served
from tests.embedded.web.graphql.test_executor import POST, asked

pytestmark = pytest.mark.anyio


async def turns_of_the_loop(answer: Awaitable[object]) -> int:
    """How often the loop had its turn until this was there."""
    count, asking = 0, asyncio.ensure_future(answer)
    while not asking.done():
        count += 1
        await asyncio.sleep(0)
    return count


async def test_a_query_for_many_fields_gives_the_loop_its_turn_in_its_middle(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = [{"name": "Burger", "quantity": 1}] * 100
    document = "{ orders { items { name quantity } } }"
    async with opened() as served:
        order = {"userId": "a", "restaurantId": "r", "items": items}
        await asked(served, POST, input=order)
        before = await turns_of_the_loop(asked(served, document))
        monkeypatch.setattr(turns, "TURN", 0.0)

        assert await turns_of_the_loop(asked(served, document)) > before + 2 * len(items)


async def test_a_document_with_many_parts_gives_the_loop_its_turn_while_it_is_checked(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened() as served:
        before = await turns_of_the_loop(asked(served, "{ orders(limit: 1) { id " + "id " * 500 + "} }"))
        monkeypatch.setattr(turns, "TURN", 0.0)

        assert await turns_of_the_loop(asked(served, "{ orders(limit: 1) { " + "id " * 500 + "} }")) > before + 500


async def test_long_queries_take_turns(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that would be over soon does not wait until another one is."""
    monkeypatch.setattr(turns, "TURN", 0.0)
    over: list[int] = []

    async def ask(served: Served, fields: int) -> None:
        await asked(served, "{ orders(limit: 1) { " + "id " * fields + "} }")
        over.append(fields)

    async with opened() as served:
        await asyncio.gather(ask(served, 500), ask(served, 10))

    assert over == [10, 500]
