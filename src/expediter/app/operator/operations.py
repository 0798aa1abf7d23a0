"""The operations of operators in the API: list, redrive and remove dead letters, and follow an order's workflow."""

from collections.abc import Callable
from typing import Any

import msgspec

from expediter.app import orders
from expediter.app.ports import Caller, DeadLetter, Work
from expediter.domain.errors import MessageNotFound

#: Messages that one call redrives or removes at most, so that a call stays short; repeat it while some remain.
BULK = 1000


class Letters(msgspec.Struct, frozen=True):
    """A page of dead letters, oldest first. ``cursor`` None: the last page. ``count``: all there are."""

    items: tuple[DeadLetter, ...]
    cursor: str | None
    count: int


class Moved(msgspec.Struct, frozen=True):
    """How many dead letters were moved or removed, and how many remain."""

    done: int
    remaining: int


class Timeline(msgspec.Struct, frozen=True):
    """Every event of an order's workflow, oldest first. ``order_id``: the order's own.

    ``pruned``: its events were deleted, because they were old or their customer was erased.
    """

    order_id: str
    events: list[dict[str, Any]]
    pruned: bool


def letters(work: Work, limit: int, cursor: str | None) -> Letters:
    """A page of dead letters behind ``cursor``."""
    found = work.dead_letters.page(limit + 1, cursor)
    more = len(found) > limit
    return Letters(found[:limit], found[limit - 1].id if more else None, work.dead_letters.count())


def letter(work: Work, message_id: str) -> DeadLetter:
    """The dead letter. Raises MessageNotFound."""
    found = work.dead_letters.find(message_id)
    if found is None:
        raise MessageNotFound
    return found


def redrive(work: Work, message_id: str) -> None:
    """Sends the dead letter back to the queue, with its receives forgotten. Raises MessageNotFound."""
    letter(work, message_id)
    work.dead_letters.redrive(message_id, work.now)


def delete(work: Work, message_id: str) -> None:
    """Removes the dead letter for good. Raises MessageNotFound."""
    letter(work, message_id)
    work.dead_letters.delete(message_id)


def redrive_all(work: Work) -> Moved:
    """Sends the oldest dead letters back to the queue."""
    return _each(work, lambda message_id: work.dead_letters.redrive(message_id, work.now))


def purge(work: Work) -> Moved:
    """Removes the oldest dead letters for good."""
    return _each(work, work.dead_letters.delete)


def timeline(work: Work, caller: Caller, order_id: str) -> Timeline:
    """The order's workflow; it has no events before it starts. Raises OrderNotFound."""
    found = orders.find(work, caller, order_id)
    events = work.workflows.history(found.id)
    return Timeline(found.id, events or [], pruned=events == [])


def _each(work: Work, act: Callable[[str], bool]) -> Moved:
    done = sum(act(found.id) for found in work.dead_letters.page(BULK))
    return Moved(done, work.dead_letters.count())
