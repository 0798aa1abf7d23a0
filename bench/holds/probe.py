"""How long the loop is held: what passes between two turns of a probe that asks for its turn each millisecond."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

#: Seconds between two turns of the probe.
TURN = 0.001


class Hold(NamedTuple):
    """The longest time between two turns of the probe, in seconds: of the thread's processor time, and by the clock."""

    processor: float
    clock: float


def longest(holds: list[Hold]) -> Hold:
    return Hold(max(hold.processor for hold in holds), max(hold.clock for hold in holds))


@asynccontextmanager
async def probed(holds: list[Hold]) -> AsyncIterator[None]:
    """Notes each hold inside."""

    async def probe() -> None:
        while True:
            processor, clock = time.thread_time(), time.perf_counter()
            await asyncio.sleep(TURN)
            holds.append(Hold(time.thread_time() - processor, time.perf_counter() - clock))

    task = asyncio.create_task(probe())
    try:
        await asyncio.sleep(TURN)
        yield
        await asyncio.sleep(10 * TURN)  # so that the last hold is noted too
    finally:
        task.cancel()


def as_the_server_does() -> None:
    """What is there at the start is never looked through by the garbage collector (``expediter.cli.server``)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
