"""What happens by itself: messages, calls and timers, and what becomes of them when something does not work."""

import asyncio
import logging
import resource
from contextlib import closing
from pathlib import Path

import apsw
import msgspec
import pytest

from expediter.domain.errors import StoreUnavailable
from expediter.embedded.clock import new_id
from expediter.embedded.engine import dispatcher
from expediter.embedded.engine.dispatcher import PAUSE, TIMERS
from expediter.embedded.sqlite.database import open_writer
from expediter.embedded.sqlite.session import Session
from expediter.embedded.stores.queue import RETRY_AFTER, SqliteQueue
from tests.support.stage import BURGERS, SECOND, Stage, opened, story
from tests.support.town import Act, standing


@story
async def test_a_message_that_failed_is_tried_again_after_a_while_and_not_before(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        await stage.send(b"no JSON", order_id=new_id())
        await stage.quiet()
        counts = [receives(stage)]
        for step in (RETRY_AFTER - 1, 1 + PAUSE, RETRY_AFTER + PAUSE):
            await stage.advance(step)
            counts.append(receives(stage))

        assert counts == [1, 1, 2, None]
        assert len(stage.dead_letters()) == 1


def receives(stage: Stage) -> int | None:
    rows = stage.read("SELECT receive_count FROM message")
    return rows[0][0] if rows else None


@story
async def test_a_redriven_message_is_taken_in_at_once(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        await stage.send(b"no JSON", order_id=new_id())
        await stage.pass_time(10 * SECOND)
        (letter,) = stage.dead_letters()

        await stage.home.write(lambda work: work.dead_letters.redrive(letter.id, work.now), "redrive")
        await stage.quiet()

        assert receives(stage) == 1


@story
async def test_more_timers_than_one_round_takes_all_fire(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        count = TIMERS + 48
        for _ in range(count // 20):
            # a few at a time: a slow machine refuses hundreds at once
            await asyncio.gather(*(stage.accept() for _ in range(20)))
        await stage.quiet()
        await stage.advance(30 * SECOND)

        assert stage.read("SELECT status, count(*) FROM orders GROUP BY status") == [("SUCCESS", count)]


@story
async def test_more_messages_than_one_look_counts_are_all_taken_in_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = 45
    with closing(open_writer(tmp_path / "expediter.db")) as connection, connection:
        queue = SqliteQueue(Session(connection), lambda: None)
        for _ in range(count):
            queue.send(msgspec.json.encode(BURGERS), {"order_id": new_id()}, 1_000)
    monkeypatch.setattr(dispatcher, "MESSAGES", 10)
    async with opened(tmp_path) as stage:
        await stage.until(lambda: stage.read("SELECT count(*) FROM orders") == [(count,)])
        await stage.quiet()

        assert stage.read("SELECT count(*) FROM message") == [(0,)]


@story
async def test_an_order_that_cannot_be_written_down_is_not_accepted_and_later_ones_are(tmp_path: Path) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0") as stage:
        first = await stage.place()
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
        try:
            with pytest.raises(StoreUnavailable):
                await stage.accept()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

        second = await stage.place()

        assert stage.status(first) == stage.status(second) == "SUCCESS"
        assert stage.read("SELECT count(*) FROM claim") == [(2,)]


@story
async def test_what_cannot_be_read_for_a_moment_is_looked_for_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(tmp_path) as stage:
        order_id = await stage.place()
        reader = stage.home._committed.executions._session.connection
        reader.authorizer = lambda *_: apsw.SQLITE_DENY
        with caplog.at_level(logging.CRITICAL, "expediter.calls"):
            stage.clock.advance(30 * SECOND)
            await stage.home.write(lambda _: None, "look")
        reader.authorizer = None
        assert stage.status(order_id) == "PAID"

        await stage.advance(1 * SECOND)

        assert stage.status(order_id) == "SUCCESS"


@story
async def test_a_slow_bank_does_not_hold_up_the_restaurant(tmp_path: Path) -> None:
    with standing() as town:
        async with opened(tmp_path, HOLD_SECONDS="1", **town.settings) as stage:
            fast, slow = await stage.place(), new_id()
            town.bank.script("charge", Act.HANG, order_id=slow)
            await stage.accept(slow)
            await stage.home.write(lambda _: None, "look")
            assert stage.home.engine.dispatcher.calls == 1

            stage.clock.advance(1 * SECOND)
            while stage.status(fast) == "PAID":  # noqa: ASYNC110  # bounded by the loop's own progress
                await asyncio.sleep(0)

            assert stage.status(fast) == "SUCCESS"
            assert stage.order(slow).status == "PENDING"
            for call in stage.home.engine.dispatcher._calls:
                call.cancel()


@story
async def test_every_committed_change_reaches_the_followers_of_the_order(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        order_id = new_id()
        with stage.home.feed.subscribe(order_id) as changes:
            await stage.place(order_id)
            paid = await anext(changes)
            await stage.advance(30 * SECOND)
            done = await anext(changes)

        assert (paid.status, done.status) == ("PAID", "SUCCESS")


@story
async def test_what_can_be_counted_is_counted(tmp_path: Path) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0") as stage:
        await stage.place()
        await stage.send(b"no JSON")
        await stage.quiet()
        lines = stage.home.metrics().decode().splitlines()

        assert 'expediter_orders_ended_total{status="SUCCESS"} 1.0' in lines
        assert "expediter_queue_messages 1.0" in lines
        assert "expediter_workflows_running 0.0" in lines


@story
async def test_orders_are_taken_in_between_start_and_stop_only(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        assert stage.home.ready()

    assert not stage.home.ready()


@story
async def test_the_order_on_the_queue_is_read_as_it_will_be(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        stage.home.engine.dispatcher._stopping = True
        order_id = await stage.accept(quantity="4", restaurant_id="Elsewhere")

        order = stage.home.read(lambda work: work.orders.accepted(order_id))
        assert order is not None
        assert (order.quantity, order.restaurant_id, order.user_id) == (4, "Elsewhere", BURGERS["user_id"])
