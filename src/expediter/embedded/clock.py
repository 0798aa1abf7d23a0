"""Time and new ids: the two things that come from this machine and nowhere else."""

import asyncio
import secrets
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from typing import Protocol

#: Nanoseconds between looks at the machine's clock: a look at every call would take 2 % of an order's time.
LOOK = 10_000_000
#: The share (one of so many) of the time that has passed by which our clock may differ from it.
SLOWEST = 10


class Clock(Protocol):
    """What the loops of the runtime know of time, in milliseconds since 1970 UTC."""

    def now(self) -> int: ...

    async def wait_until(self, at: int, wake: asyncio.Event) -> None:
        """Returns at ``at``, or as soon as ``wake`` is set; clears ``wake``."""


#: Nanoseconds, and on Linux also while the machine sleeps.
_steady = partial(time.clock_gettime_ns, getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class SystemClock:
    """Never runs backwards and never jumps, whatever is done to the machine's clock.

    It goes by what has passed since the start, sleep of the machine included, and walks towards the machine's clock by
    a tenth of that at most. So a clock that is set makes no timer late, and ends no lease, token or session before its
    time; what people read is right again after a while.

    ``at_least``: milliseconds since 1970 UTC that have been before. ``wall`` and ``passed`` tell nanoseconds.
    """

    def __init__(
        self,
        at_least: int = 0,
        wall: Callable[[], int] = time.time_ns,
        passed: Callable[[], int] = _steady,
    ) -> None:
        self._wall, self._passed = wall, passed
        self._last = passed()
        self._now = max(wall(), at_least * 1_000_000)

    def now(self) -> int:
        step = self._passed() - self._last
        if step >= LOOK:
            self._last += step
            ahead = self._wall() - self._now - step
            most = step // SLOWEST
            self._now += max(LOOK, step + max(-most, min(most, ahead)))
            step = 0
        return (self._now + step) // 1_000_000

    async def wait_until(self, at: int, wake: asyncio.Event) -> None:
        try:
            await asyncio.wait_for(wake.wait(), max(0, at - self.now()) / 1000)
        except TimeoutError:
            return
        wake.clear()


def new_id() -> str:
    """A UUIDv7: its first 48 bits are the time, so new ids land beside each other in an index (RFC 9562, 5.7)."""
    now = time.time_ns() // 1_000_000
    number = now << 80 | 0x7 << 76 | (next(NUMBERS) & 0xFFF) << 64 | 0b10 << 62 | next(NUMBERS) >> 2
    text = number.to_bytes(16).hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _drawn() -> list[int]:
    return memoryview(secrets.token_bytes(8 * AT_ONCE)).cast("Q").tolist()


def _seeds() -> list[int]:
    return [number >> 1 for number in _drawn()]


#: Unguessable numbers of 64 bits from the system's own source, which is asked for many at once: each asking costs 1 µs.
AT_ONCE = 256
NUMBERS: Iterator[int] = chain.from_iterable(iter(_drawn, None))
#: What events' randomness is derived from, task tokens' too: such numbers, of 63 bits.
SEEDS: Iterator[int] = chain.from_iterable(iter(_seeds, None))
