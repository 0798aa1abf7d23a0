"""What an operator does with dead letters, and with an order's timeline."""

from collections.abc import Iterator

import pytest

from expediter.app import intake
from expediter.app.drafts import Draft, convert
from expediter.app.intake import take_batch
from expediter.app.operator import operations
from expediter.app.operator.operations import Timeline
from expediter.app.ports import Caller
from expediter.domain.errors import MessageNotFound, OrderNotFound
from tests.ports.adapters import Adapters, EmbeddedAdapters
from tests.support.clock import NOON
from tests.support.stage import BURGERS
from tests.support.values import ID

ANN = Caller("ann", operator=False)
MINUTE = 60_000


@pytest.fixture
def home() -> Iterator[Adapters]:
    """A home with three dead letters."""
    adapters = EmbeddedAdapters()
    with adapters.unit() as work:
        for _ in range(3):
            work.queue.send(b"poison", {"order_id": ID}, NOON)
    for round_ in range(3):
        with adapters.unit(NOON + round_ * MINUTE) as work:
            take_batch(work)
    yield adapters
    adapters.close()


def test_dead_letters_come_in_pages_with_their_count(home: Adapters) -> None:
    with home.unit() as work:
        first = operations.letters(work, 2, None)
        rest = operations.letters(work, 2, first.cursor)

    assert [len(page.items) for page in (first, rest)] == [2, 1]
    assert (first.count, rest.cursor) == (3, None)
    assert len({letter.id for letter in (*first.items, *rest.items)}) == 3


def test_redriving_one_or_all_sends_them_back_once(home: Adapters) -> None:
    with home.unit() as work:
        (letter, *_) = operations.letters(work, 5, None).items
        operations.redrive(work, letter.id)
        with pytest.raises(MessageNotFound):
            operations.redrive(work, letter.id)
        moved = operations.redrive_all(work)
        again = operations.redrive_all(work)
        assert len(work.queue.receive(5, NOON)) == 3

    assert [(it.done, it.remaining) for it in (moved, again)] == [(2, 0), (0, 0)]


def test_purging_removes_them_for_good(home: Adapters) -> None:
    with home.unit() as work:
        (letter, *_) = operations.letters(work, 5, None).items
        operations.delete(work, letter.id)
        purged = operations.purge(work)
        assert work.queue.receive(5, NOON + MINUTE) == ()

    assert (purged.done, purged.remaining) == (2, 0)


def test_a_timeline_is_empty_before_the_workflow_starts_and_for_its_owner_only(home: Adapters) -> None:
    with home.unit() as work:
        intake.accept(work, ANN, convert({**BURGERS, "user_id": "ann"}, Draft), ID)
        assert operations.timeline(work, ANN, ID) == Timeline(ID, [], pruned=False)
        take_batch(work)
        assert operations.timeline(work, ANN, ID).events[0]["type"] == "ExecutionStarted"
        with pytest.raises(OrderNotFound):
            operations.timeline(work, Caller("bob", operator=False), ID)
