"""The restaurant is waited for: it gets the token with the order, once, and is told when the wait is over."""

import asyncio
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from demo.behaviour import Act
from expediter.embedded.clock import new_id
from expediter.embedded.engine.gateways import Gateways
from expediter.embedded.sqlite.database import open_writer
from tests.support.clock import VirtualClock
from tests.support.stage import MINUTE, SECOND, opened, story
from tests.support.town import standing
from tests.support.waiting import OK, say, sent, shop, token, waiting, written


@story
async def test_a_task_that_waits_for_its_token_is_not_run_again_by_a_restart(tmp_path: Path) -> None:
    written(tmp_path, waiting())
    clock = VirtualClock()
    with standing() as town:
        async with shop(tmp_path, clock, **town.settings) as stage:
            order_id = await sent(stage)
            before = token(stage, order_id)
        async with shop(tmp_path, clock, **town.settings) as stage:
            await stage.quiet()
            assert town.calls(order_id).count("handover") == 1
            assert token(stage, order_id) == before

            await say(stage, before, OK)

            assert stage.status(order_id) == "SUCCESS"


@story
async def test_a_call_that_was_under_way_at_a_restart_is_made_again_with_the_same_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, waiting())
    clock = VirtualClock()
    async with shop(tmp_path, clock, RESTAURANT="http://127.0.0.1:1") as stage:
        order_id = await stage.place()
        monkeypatch.setattr(Gateways, "call", never)  # it outlives its process
        clock.advance(30 * SECOND)
        await stage.until(lambda: bool(stage.home.engine.dispatcher.calls))
        before = token(stage, order_id)
        stage.home.engine.dispatcher._stopping = True
        for call in stage.home.engine.dispatcher._calls:
            call.cancel()
    async with shop(tmp_path, clock) as stage:
        await stage.quiet()
        assert token(stage, order_id) == before

        await say(stage, before, OK)

        assert stage.status(order_id) == "SUCCESS"


async def never(*_: Any) -> None:
    await asyncio.Event().wait()


@story
async def test_an_order_that_the_restaurant_took_and_never_looked_at_is_taken_back(tmp_path: Path) -> None:
    written(tmp_path, waiting(TimeoutSeconds=600))
    with standing() as town:
        async with shop(tmp_path, None, **town.settings) as stage:
            order_id = await sent(stage)
            assert order_id in town.kitchen.cooking

            await stage.pass_time(10 * MINUTE)

            assert stage.status(order_id) == "FAILED"
            assert (town.taken(order_id), order_id in town.kitchen.cooking) == (0, False)


@story
async def test_the_restaurant_gets_the_token_with_the_order(tmp_path: Path) -> None:
    written(tmp_path, waiting())
    with standing() as town:
        async with shop(tmp_path, None, **town.settings) as stage:
            order_id = await sent(stage)

            assert town.kitchen.tokens == {order_id: token(stage, order_id)}


@story
async def test_an_order_that_nobody_waits_for_goes_out_without_a_token(tmp_path: Path) -> None:
    with standing() as town:
        async with opened(tmp_path, **town.settings) as stage:
            order_id = await sent(stage)

            assert (stage.status(order_id), town.kitchen.tokens) == ("SUCCESS", {})


@story
async def test_a_restaurant_that_refuses_fails_the_task_at_once(tmp_path: Path) -> None:
    written(tmp_path, waiting())
    with standing() as town:
        async with shop(tmp_path, None, **town.settings) as stage:
            order_id = new_id()
            town.kitchen.script("handover", Act.REFUSE, order_id=order_id)
            await stage.place(order_id)
            await stage.advance(30 * SECOND)

            assert stage.status(order_id) == "FAILED"
            assert town.moves(order_id) == ["charge", "refund"]
            assert "withdrawal" not in town.calls(order_id)
            assert stage.read("SELECT count(*) FROM task_token") == [(0,)]


@story
async def test_what_waits_is_not_run_again_when_something_beside_it_has_to_be(tmp_path: Path) -> None:
    written(tmp_path, waiting())
    clock = VirtualClock()
    with standing() as town:
        async with shop(tmp_path, clock, **town.settings) as stage:
            order_id = await sent(stage)
        with closing(open_writer(tmp_path / "data" / "expediter.db")) as connection:
            connection.execute("UPDATE execution SET busy = 1")  # as a call in another branch would have it
        async with shop(tmp_path, clock, **town.settings) as stage:
            await stage.quiet()
            assert town.calls(order_id).count("handover") == 1
