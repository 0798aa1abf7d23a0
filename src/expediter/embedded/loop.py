"""Work in the background: a round, a rest, the next round."""

import asyncio
import logging
from abc import ABC, abstractmethod

from expediter.domain.errors import StoreUnavailable
from expediter.embedded.clock import Clock


class Loop(ABC):
    """Repeats ``one_round`` from ``start`` to ``stop``.

    When a round raises StoreUnavailable, the next one follows after ``retry`` milliseconds. Of several such rounds in a
    row the first one is logged, under the loop's name. ``wake``: set by others than the loop's owner, it ends the rest.
    """

    def __init__(self, name: str, clock: Clock, retry: int, wake: asyncio.Event | None = None) -> None:
        self._name = name
        self._clock = clock
        self._retry = retry
        self._log = logging.getLogger(f"expediter.{name}")
        self._wake = wake or asyncio.Event()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    @abstractmethod
    async def one_round(self, now: int) -> int:
        """Does what is due at ``now`` and returns when the next round begins, both in ms since 1970 UTC.

        Raises StoreUnavailable.
        """

    def start(self) -> None:
        """Begins the first round."""
        self._task = asyncio.create_task(self._run(), name=self._name)

    def wake(self) -> None:
        """Ends the rest: the next round begins now, or right after the one under way."""
        self._wake.set()

    async def stop(self) -> None:
        """Returns when the round under way has ended. No other one begins."""
        self._stopping = True
        self._wake.set()
        if self._task:
            await self._task

    async def _run(self) -> None:
        failing = False
        while not self._stopping:
            now = self._clock.now()
            try:
                next_round = await self.one_round(now)
                failing = False
            except StoreUnavailable as error:
                if not failing:
                    self._log.error("the database failed; trying every %d s", self._retry // 1000, exc_info=error)
                failing = True
                next_round = now + self._retry
            if next_round > now:
                await self._clock.wait_until(next_round, self._wake)
