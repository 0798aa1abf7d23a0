"""Requests may be refused, and the work that follows from accepted ones may not: each has its places in a commit."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from expediter.domain.errors import StoreUnavailable, TooBusy
from expediter.embedded import time_slices
from expediter.embedded.sqlite import units
from expediter.embedded.sqlite.units import (
    BATCH_LIMIT,
    LARGE_BATCH_LIMIT,
    LONG_QUEUE,
    QUEUE_LIMIT,
    RUN_AHEAD_LIMIT,
    WAIT_LIMIT,
)
from tests.embedded.sqlite.test_writer import no_room_beyond, writing
from tests.support.stage import story


async def until(condition: Callable[[], bool]) -> None:
    """Lets the loop go round until something is so."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110  # bounded by the timeout
            await asyncio.sleep(0)


@story
async def test_more_than_may_wait_is_refused_as_too_busy(tmp_path: Path) -> None:
    async with writing(tmp_path) as bench:
        waiting = [bench.writer.run("x", lambda: None) for _ in range(QUEUE_LIMIT)]
        with pytest.raises(TooBusy):
            bench.writer.run("x", lambda: None)

        assert await asyncio.gather(*waiting) == [None] * QUEUE_LIMIT
        assert bench.writer.metrics.shed == 1
        await bench.writer.run("afterwards", lambda: None)


@story
async def test_while_the_disk_stands_still_requests_are_refused_after_two_seconds(
    tmp_path: Path,
) -> None:
    async with writing(tmp_path) as bench:
        bench.disk.clear()
        first = bench.writer.run("a", bench.insert("a"))
        await until(lambda: "before commit" in bench.log.lines)
        second = bench.writer.run("b", bench.insert("b"))
        await until(lambda: bench.writer.waiting == 2)
        running = bench.writer._running
        assert running
        bench.writer._running = msgspec.structs.replace(running, begun=running.begun - WAIT_LIMIT - 0.1)
        with pytest.raises(TooBusy):
            await bench.writer.run("c", bench.insert("c"))
        bench.disk.set()
        await asyncio.gather(first, second)

        await bench.writer.run("d", bench.insert("d"))

        assert bench.stored() == ["a", "b", "d"]


@story
async def test_requests_that_waited_too_long_are_refused_while_there_are_more_than_places(tmp_path: Path) -> None:
    async with writing(tmp_path) as bench:
        bench.disk.clear()
        first = bench.writer.run("first", lambda: None)
        await until(lambda: "before commit" in bench.log.lines)
        joining = [bench.writer.run("x", lambda: None) for _ in range(RUN_AHEAD_LIMIT)]
        waiting = [bench.writer.run("x", lambda: None) for _ in range(BATCH_LIMIT + 2)]
        await until(lambda: bench.writer.waiting == RUN_AHEAD_LIMIT + BATCH_LIMIT + 3)
        for unit in bench.writer.admission.requests:
            unit.came -= WAIT_LIMIT + 0.1
        bench.disk.set()
        await asyncio.gather(first, *joining)
        told = await asyncio.gather(*waiting, return_exceptions=True)

        assert [type(error) for error in told[:2]] == [TooBusy, TooBusy]
        assert bench.writer.metrics.shed == 2
        assert told[2:] == [None] * BATCH_LIMIT  # for them there is a place: an answer is better than a refusal


@story
async def test_while_many_requests_wait_commits_are_larger(tmp_path: Path) -> None:
    async with writing(tmp_path) as bench:
        await asyncio.gather(*(bench.writer.run("x", lambda: None) for _ in range(LONG_QUEUE + BATCH_LIMIT + 1)))

        assert [len(batch) for batch in bench.log.batches][:2] == [LARGE_BATCH_LIMIT, BATCH_LIMIT]


@story
async def test_requests_and_work_have_places_of_their_own_in_each_commit(tmp_path: Path) -> None:
    async with writing(tmp_path) as bench:
        requests = [bench.writer.run("request", lambda: None) for _ in range(2 * BATCH_LIMIT)]
        for _ in range(3 * BATCH_LIMIT):
            bench.writer.submit("work", lambda: None, lambda _, __: None)
        await asyncio.gather(*requests)
        await bench.writer.stop()

        shares = [dict(Counter(batch)) for batch in bench.log.batches]
        both = {"work": BATCH_LIMIT, "request": BATCH_LIMIT}
        assert shares == [both, both, {"work": BATCH_LIMIT}]


@story
async def test_that_nothing_can_be_written_is_logged_when_it_begins_and_when_it_is_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with writing(tmp_path) as bench:
        with caplog.at_level(logging.WARNING, "expediter.writer"), no_room_beyond(4_096):
            for _ in range(3):
                with pytest.raises(StoreUnavailable):
                    await bench.writer.run("x", bench.insert("large" * 100_000))
        for name in ("a", "b"):
            await bench.writer.run(name, bench.insert(name))

    said = [record.getMessage() for record in caplog.records]
    assert said == ["nothing can be written: requests get 503 until that is over", "writing works again"]


@story
async def test_the_loop_goes_on_between_the_units_of_a_long_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Connections are read and timers fire while units that take long wait for one another."""
    monkeypatch.setattr(units, "TIME_SLICE", 0.0)
    monkeypatch.setattr(time_slices, "TIME_SLICE", 0.0)
    async with writing(tmp_path) as bench:
        order: list[str] = []

        def unit(name: str) -> Callable[[], None]:
            def run() -> None:
                order.append(name)
                asyncio.get_running_loop().call_soon(order.append, f"after {name}")

            return run

        await asyncio.gather(*(bench.writer.run(name, unit(name)) for name in ("a", "b")))

        assert order == ["a", "after a", "b", "after b"]
        assert bench.log.batches == [["a", "b"]]
