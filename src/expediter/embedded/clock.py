"""Time and new ids: the two things that come from this machine and nowhere else."""

import asyncio
import secrets
import time
from collections.abc import Iterator
from itertools import chain
from typing import Protocol


class Clock(Protocol):
    """What the loops of the runtime know of time, in milliseconds since 1970 UTC."""

    def now(self) -> int: ...

    async def wait_until(self, at: int, wake: asyncio.Event) -> None:
        """Returns at ``at``, or as soon as ``wake`` is set; clears ``wake``."""


class SystemClock:
    def now(self) -> int:
        return time.time_ns() // 1_000_000

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
