"""A document that takes long yields to the event loop while it is checked and answered."""

import asyncio
from collections.abc import Awaitable

import pytest

from expediter.embedded import time_slices
from tests.embedded.web.conftest import Opened, Served
from tests.embedded.web.graphql.test_executor import POST, asked

pytestmark = pytest.mark.anyio


async def rounds_of_the_loop(answer: Awaitable[object]) -> int:
    """The rounds that the loop makes until the answer is there."""
    count, asking = 0, asyncio.ensure_future(answer)
    while not asking.done():
        count += 1
        await asyncio.sleep(0)
    return count


async def test_a_query_for_many_fields_yields_to_the_loop_in_its_middle(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = [{"name": "Burger", "quantity": 1}] * 100
    document = "{ orders { items { name quantity } } }"
    async with opened() as served:
        order = {"userId": "a", "restaurantId": "r", "items": items}
        await asked(served, POST, input=order)
        before = await rounds_of_the_loop(asked(served, document))
        monkeypatch.setattr(time_slices, "TIME_SLICE", 0.0)

        assert await rounds_of_the_loop(asked(served, document)) > before + 2 * len(items)


async def test_a_document_with_many_parts_yields_to_the_loop_while_it_is_checked(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened() as served:
        before = await rounds_of_the_loop(asked(served, "{ orders(limit: 1) { id " + "id " * 500 + "} }"))
        monkeypatch.setattr(time_slices, "TIME_SLICE", 0.0)

        assert await rounds_of_the_loop(asked(served, "{ orders(limit: 1) { " + "id " * 500 + "} }")) > before + 500


async def test_long_queries_run_one_time_slice_each_in_turn(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """A short query does not wait for the end of a long one."""
    monkeypatch.setattr(time_slices, "TIME_SLICE", 0.0)
    over: list[int] = []

    async def ask(served: Served, fields: int) -> None:
        await asked(served, "{ orders(limit: 1) { " + "id " * fields + "} }")
        over.append(fields)

    async with opened() as served:
        await asyncio.gather(ask(served, 500), ask(served, 10))

    assert over == [10, 500]
