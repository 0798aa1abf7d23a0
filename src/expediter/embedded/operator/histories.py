"""Derives the history of an execution from its events, in a thread if that takes long.

A request on the event loop has TURN seconds for it. Then it is interrupted (``HistoryTakesLong``). The history is
derived in a thread, with a connection and a machine of its own, and the read begins again with it.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from math import inf
from pathlib import Path
from time import perf_counter
from typing import Any

from expediter.domain.errors import TooBusy
from expediter.embedded.engine.workflows import HistoryTakesLong, history
from expediter.embedded.sqlite.database import open_reader
from expediter.embedded.sqlite.session import Session
from expediter.embedded.stores.executions import SqliteExecutions

#: Seconds for a history on the loop, and in a thread; threads at the same time.
TURN, LONGEST, THREADS = 0.02, 10.0, 2


class Histories:
    """Use it on the event loop's thread."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._until = inf
        self._free = asyncio.Semaphore(THREADS)

    @contextmanager
    def bounded(self) -> Iterator[None]:
        """Inside the ``with`` block a history that takes longer than TURN raises HistoryTakesLong."""
        self._until = perf_counter() + TURN
        try:
            yield
        finally:
            self._until = inf

    def pause(self) -> None:
        """Called while a history is derived. Raises HistoryTakesLong."""
        if perf_counter() > self._until:
            raise HistoryTakesLong

    async def derive(self, name: str) -> list[dict[str, Any]] | None:
        """The history of an execution that takes long. Raises TooBusy when it takes too long."""
        async with self._free:
            return await asyncio.to_thread(self._derive, name)

    def _derive(self, name: str) -> list[dict[str, Any]] | None:
        with closing(open_reader(self._file)) as connection:
            return history(SqliteExecutions(Session(connection)), name, _ends(perf_counter() + LONGEST))


def _ends(until: float) -> Callable[[], None]:
    def pause() -> None:
        if perf_counter() > until:
            raise TooBusy

    return pause
