"""Time and new ids, which come from this machine."""

import asyncio
import secrets
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from typing import Protocol

#: Nanoseconds between looks at the machine's clock: a look at every call would take 2 % of an order's time.
LOOK = 100_000_000
#: Nanoseconds.
MILLISECOND = 1_000_000
#: The share (one of so many) of the time that has passed by which our clock may differ from it.
SLOWEST = 10


class Clock(Protocol):
    """The time for all parts of the server, in milliseconds since 1970 UTC."""

    def now(self) -> int: ...

    def machine_ahead(self) -> int:
        """By how many milliseconds the machine's clock is ahead of this one; negative: behind it."""

    async def wait_until(self, at: int, wake: asyncio.Event) -> None:
        """Returns at ``at``, or as soon as ``wake`` is set; clears ``wake``."""


#: Nanoseconds, and on Linux also while the machine sleeps.
_steady = partial(time.clock_gettime_ns, getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class SystemClock:
    """A clock that never runs backwards and never jumps, also when the machine's clock is set.

    It counts the time since the start, sleep of the machine included, and approaches the machine's clock by a tenth of
    that time at most. So when the machine's clock is set, no timer is late, and no lease, token or session ends too
    early. The times that people read are right again after a while.

    ``at_least``: a time that has been before (ms since 1970 UTC). ``wall`` and ``passed`` return nanoseconds.
    """

    def __init__(
        self,
        at_least: int = 0,
        wall: Callable[[], int] = time.time_ns,
        passed: Callable[[], int] = _steady,
    ) -> None:
        self._wall, self._passed = wall, passed
        self._last = passed()
        #: The time at ``_last`` in milliseconds, and nanoseconds beyond: small numbers, because large ones are slow.
        self._now, self._rest = divmod(max(wall(), at_least * MILLISECOND), MILLISECOND)

    def now(self) -> int:
        step = self._passed() - self._last
        if step >= LOOK:
            self._look(step)
            step = 0
        return self._now + (self._rest + step) // MILLISECOND

    def machine_ahead(self) -> int:
        return self._wall() // MILLISECOND - self.now()

    def _look(self, step: int) -> None:
        """Walks on by what has passed, and a little towards the machine's clock."""
        self._last += step
        before = self._now * MILLISECOND + self._rest
        ahead = self._wall() - before - step
        most = step // SLOWEST
        after = before + max(LOOK, step + max(-most, min(most, ahead)))
        self._now, self._rest = divmod(after, MILLISECOND)

    async def wait_until(self, at: int, wake: asyncio.Event) -> None:
        timer = asyncio.get_running_loop().call_later(max(0, at - self.now()) / 1000, wake.set)
        try:
            await wake.wait()
        finally:
            timer.cancel()
        wake.clear()


def new_id() -> str:
    """A UUIDv7: its first 48 bits are the time, so new ids land beside each other in an index (RFC 9562, 5.7)."""
    now = time.time_ns() // 1_000_000
    first, last = now << 16 | 0x7000 | next(NUMBERS) & 0xFFF, 1 << 63 | next(NUMBERS) >> 2
    text = first.to_bytes(8).hex() + last.to_bytes(8).hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _drawn() -> list[int]:
    return memoryview(secrets.token_bytes(8 * AT_ONCE)).cast("Q").tolist()


def _seeds() -> list[int]:
    return [number >> 1 for number in _drawn()]


#: Random numbers of 64 bits from the system's own source. Many are read at once, because each read takes 1 µs.
AT_ONCE = 256
NUMBERS: Iterator[int] = chain.from_iterable(iter(_drawn, None))
#: The seeds of events, from which also task tokens are derived: random numbers of 63 bits.
SEEDS: Iterator[int] = chain.from_iterable(iter(_seeds, None))
