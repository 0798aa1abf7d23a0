"""The connections and the writer, which all parts of the server share."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, TypeVar

from expediter.embedded.sqlite.session import Session
from expediter.embedded.sqlite.units import settle
from expediter.embedded.sqlite.writer import Writer

T = TypeVar("T")


class DatabaseAccess(NamedTuple):
    """``reading`` sees what is committed. ``writing`` is used in units of work, which ``writer`` runs and commits."""

    reading: Session
    writing: Session
    writer: Writer


async def complete(writer: Writer, name: str, unit: Callable[[], T]) -> T:
    """Submits a unit of work. Returns its result once that is durable, or raises the error that undid it."""
    future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
    writer.submit(name, unit, partial(settle, future))
    return await future
