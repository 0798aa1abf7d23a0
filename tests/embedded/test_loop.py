"""A loop in the background: rounds, rests, what wakes it and what ends it."""

import asyncio
from collections.abc import Callable

import pytest

from expediter.domain.errors import StoreUnavailable
from expediter.embedded.loop import Loop
from tests.support.clock import NOON, VirtualClock
from tests.support.stage import story

REST, RETRY = 10_000, 3_000


class Rounds(Loop):
    """Notes when its rounds begin."""

    def __init__(self, clock: VirtualClock, one: Callable[[int], int] = lambda now: now + REST) -> None:
        super().__init__("rounds", clock, RETRY)
        self._one = one
        self.begun: list[int] = []

    async def one_round(self, now: int) -> int:
        self.begun.append(now - NOON)
        return self._one(now)


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


@story
async def test_a_round_begins_when_the_one_before_it_said() -> None:
    clock = VirtualClock()
    loop = Rounds(clock)
    loop.start()
    await settled()
    for step in (REST - 1, 1, REST):
        clock.advance(step)
        await settled()
    await loop.stop()
    assert loop.begun == [0, REST, 2 * REST]


@story
async def test_a_round_that_said_now_is_followed_at_once() -> None:
    clock = VirtualClock()
    rests = iter([0, 0, REST])
    loop = Rounds(clock, lambda now: now + next(rests))
    loop.start()
    await settled()
    await loop.stop()
    assert loop.begun == [0, 0, 0]


@story
async def test_waking_a_loop_ends_its_rest() -> None:
    loop = Rounds(VirtualClock())
    loop.start()
    await settled()
    loop.wake()
    await settled()
    await loop.stop()
    assert loop.begun == [0, 0]


@story
async def test_a_round_that_finds_the_database_unavailable_is_tried_again_and_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def unavailable(_: int) -> int:
        raise StoreUnavailable

    clock = VirtualClock()
    loop = Rounds(clock, unavailable)
    loop.start()
    await settled()
    for step in (RETRY - 1, 1, RETRY):
        clock.advance(step)
        await settled()
    await loop.stop()
    assert loop.begun == [0, RETRY, 2 * RETRY]
    assert [record.name for record in caplog.records] == ["expediter.rounds"]


@story
async def test_a_stopped_loop_ends_the_round_under_way_and_begins_no_other() -> None:
    ended = asyncio.Event()

    class Long(Rounds):
        async def one_round(self, now: int) -> int:
            await asyncio.sleep(0)
            ended.set()
            return await super().one_round(now)

    loop = Long(VirtualClock(), lambda now: now)
    loop.start()
    await asyncio.sleep(0)
    await loop.stop()
    assert ended.is_set()
    assert loop.begun == [0]


@story
async def test_a_loop_that_never_started_can_be_stopped() -> None:
    await Rounds(VirtualClock()).stop()
