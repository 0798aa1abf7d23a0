"""Time that stands still until a test moves it on."""

import asyncio

#: 2026-08-01T12:00:00Z in milliseconds: when every story begins.
NOON = 1_785_585_600_000


class VirtualClock:
    """A Clock whose ``now`` is moved by ``advance`` alone; whoever waits for an instant is woken when it has come."""

    def __init__(self, now: int = NOON) -> None:
        self._now = now
        #: Milliseconds by which the machine's clock is ahead.
        self.ahead = 0
        self._sleepers: list[tuple[int, asyncio.Event]] = []

    def now(self) -> int:
        return self._now

    def machine_ahead(self) -> int:
        return self.ahead

    def advance(self, milliseconds: int) -> None:
        self._now += milliseconds
        for at, wake in self._sleepers:
            if at <= self._now:
                wake.set()

    async def wait_until(self, at: int, wake: asyncio.Event) -> None:
        if at <= self._now:
            await asyncio.sleep(0)
            return
        sleeper = (at, wake)
        self._sleepers.append(sleeper)
        try:
            await wake.wait()
        finally:
            self._sleepers.remove(sleeper)
        wake.clear()
