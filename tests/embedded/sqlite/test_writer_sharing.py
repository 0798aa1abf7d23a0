"""Who may have how much of the writer: the doors, which may be refused, and what follows from what they accepted."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from expediter.domain.errors import StoreUnavailable, TooBusy
from expediter.embedded.sqlite.admission import BATCH, CROWD, JOINED, LARGE, PATIENCE, WAITING
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
        waiting = [bench.writer.run("x", lambda: None) for _ in range(WAITING)]
        with pytest.raises(TooBusy):
            bench.writer.run("x", lambda: None)

        assert await asyncio.gather(*waiting) == [None] * WAITING
        assert bench.writer.metrics.shed == 1
        await bench.writer.run("afterwards", lambda: None)


@story
async def test_while_the_disk_stands_still_the_doors_refuse_after_two_seconds_and_then_go_on(tmp_path: Path) -> None:
    async with writing(tmp_path) as bench:
        bench.disk.clear()
        first = bench.writer.run("a", bench.insert("a"))
        await until(lambda: "before commit" in bench.log.lines)
        second = bench.writer.run("b", bench.insert("b"))
        await until(lambda: bench.writer.waiting == 2)
        assert bench.writer._running
        bench.writer._running = bench.writer._running._replace(begun=bench.writer._running.begun - PATIENCE - 0.1)
        with pytest.raises(TooBusy):
            await bench.writer.run("c", bench.insert("c"))
        bench.disk.set()
        await asyncio.gather(first, second)

        await bench.writer.run("d", bench.insert("d"))

        assert bench.stored() == ["a", "b", "d"]


@story
async def test_who_waited_too_long_is_refused_while_there_are_more_than_places(tmp_path: Path) -> None:
    async with writing(tmp_path) as bench:
        bench.disk.clear()
        first = bench.writer.run("first", lambda: None)
        await until(lambda: "before commit" in bench.log.lines)
        joining = [bench.writer.run("x", lambda: None) for _ in range(JOINED)]
        waiting = [bench.writer.run("x", lambda: None) for _ in range(BATCH + 2)]
        await until(lambda: bench.writer.waiting == JOINED + BATCH + 3)
        for entry in bench.writer._admission.requests:
            entry.came -= PATIENCE + 0.1
        bench.disk.set()
        await asyncio.gather(first, *joining)
        told = await asyncio.gather(*waiting, return_exceptions=True)

        assert [type(error) for error in told[:2]] == [TooBusy, TooBusy]
        assert bench.writer.metrics.shed == 2
        assert told[2:] == [None] * BATCH  # for them there is a place: an answer is better than a refusal


@story
async def test_a_crowd_at_the_doors_is_written_in_larger_commits(tmp_path: Path) -> None:
    async with writing(tmp_path) as bench:
        await asyncio.gather(*(bench.writer.run("x", lambda: None) for _ in range(CROWD + BATCH + 1)))

        assert [len(batch) for batch in bench.log.batches][:2] == [LARGE, BATCH]


@story
async def test_doors_and_work_have_places_of_their_own_in_each_commit(tmp_path: Path) -> None:
    async with writing(tmp_path) as bench:
        doors = [bench.writer.run("door", lambda: None) for _ in range(2 * BATCH)]
        for _ in range(3 * BATCH):
            bench.writer.submit("work", lambda: None, lambda _, __: None)
        await asyncio.gather(*doors)
        await bench.writer.stop()

        shares = [dict(Counter(batch)) for batch in bench.log.batches]
        assert shares == [{"work": BATCH, "door": BATCH}, {"work": BATCH, "door": BATCH}, {"work": BATCH}]


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
    assert said == ["nothing can be written: doors answer 503 until that is over", "writing works again"]
