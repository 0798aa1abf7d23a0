"""The power is lost at many moments of one lunch; what was not synced is gone, or there in part.

SIGKILL keeps the page cache, so it cannot prove that anything was synced. Here only what was synced is kept: see
``disk`` for the model, and the two control builds below, which must lose orders.
"""

import asyncio
import random
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from expediter.domain.order import Status
from expediter.embedded.sqlite.checkpoints import Checkpoints
from expediter.embedded.sqlite.database import open_writer
from expediter.embedded.sqlite.writer import Writer
from expediter.embedded.wiring import open_home
from tests.power.audit import problems
from tests.power.disk import Chance, Disk
from tests.power.kitchen import HOLD_SECONDS, PATIENCE, HandClock, recorded, settings
from tests.power.recording import Recording, Told

#: PRAGMA synchronous, as a number.
FULL = 2

#: Moments looked at between syncs; beside them the first, the last and the one behind each sync.
BETWEEN = 60

Unwritten = Callable[[random.Random], Chance]

#: What becomes of things that were not synced.
FATES: dict[str, Unwritten] = {
    "all of it is lost": lambda _: lambda: False,
    "half of it is lost, torn into sectors": lambda chance: lambda: chance.random() < 0.5,
    "little of it is lost, torn into sectors": lambda chance: lambda: chance.random() < 0.95,
}


class AnswersEarly(Writer):
    """A control build: answers every unit before COMMIT."""

    async def _execute(self) -> None:
        await super()._execute()
        self._answer(self._batch)
        self._batch.clear()


@pytest.fixture(scope="module")
def lunch(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return recorded(tmp_path_factory.mktemp("lunch"))


def moments(recording: Recording, chance: random.Random) -> list[int]:
    """Positions in the recording: the first and the last, just behind each sync, and anywhere between."""
    last = len(recording.events)
    return sorted({0, last, *recording.syncs, *chance.sample(range(1, last), BETWEEN)})


def losses(recording: Recording, folder: Path, fate: Unwritten, seed: int) -> Iterator[tuple[int, Path]]:
    """Each moment, with the folder as it is after the power was lost then."""
    chance, disk, fed, names = random.Random(seed), Disk(), 0, count()
    for moment in moments(recording, chance):
        disk.feed(recording.events[fed:moment])
        fed = moment
        left = folder / str(next(names))
        left.mkdir()
        for name, content in disk.after_loss(fate(chance)).items():
            (left / name).write_bytes(content)
        yield moment, left


def faults(recording: Recording, folder: Path, fate: Unwritten, seed: int = 1) -> Iterator[str]:
    """Everything that is wrong after any of the losses."""
    for moment, left in losses(recording, folder, fate, seed):
        for problem in problems(left, recording.events[:moment]):
            yield f"power lost at {moment} of {len(recording.events)}: {problem}"


@pytest.mark.parametrize("fate", FATES.values(), ids=list(FATES))
def test_whatever_was_answered_is_on_the_disk_when_the_power_is_lost(
    lunch: Recording, tmp_path: Path, fate: Unwritten
) -> None:
    seed = random.randrange(2**32)

    assert list(faults(lunch, tmp_path, fate, seed)) == [], f"seed {seed}"


def test_orders_go_on_to_their_end_after_the_power_was_lost(lunch: Recording, tmp_path: Path) -> None:
    half_lost = FATES["half of it is lost, torn into sectors"]
    folders = list(losses(lunch, tmp_path, half_lost, seed=2))

    for moment, left in folders[:: len(folders) // 8]:
        told = [event for event in lunch.events[:moment] if isinstance(event, Told)]
        accepted = [event.order_id for event in told if event.what == "accepted"]
        ends = asyncio.run(asyncio.wait_for(ended(left, accepted), PATIENCE))
        assert set(ends) <= {Status.SUCCESS, Status.FAILED, Status.CANCELLED}, f"power lost at {moment}"


async def ended(folder: Path, order_ids: list[str]) -> list[Status | None]:
    """Opens the home as the server does, has everything end, and gives the statuses."""
    clock = HandClock()
    clock.move(3_600_000)
    async with open_home(settings(folder), clock) as home:
        while b"expediter_workflows_running 0.0" not in (said := home.metrics()) or b"messages 0.0" not in said:
            clock.move(1000 * HOLD_SECONDS)
            await asyncio.sleep(0.001)
        orders = [home.read(lambda work, order_id=order_id: work.orders.find(order_id)) for order_id in order_ids]  # type: ignore[misc]
    return [order.status if order else None for order in orders]


def test_the_lunch_holds_what_can_go_wrong(lunch: Recording) -> None:
    told = {event.what for event in lunch.events if isinstance(event, Told)}

    assert told == {"accepted", "cancelled", "charge", "restaurant", "refund"}
    assert len(lunch.syncs) > 100


def test_the_connection_that_checkpoints_syncs_as_well(tmp_path: Path) -> None:
    """In service it is another one than the recorded one; to leave the log behind, it has to sync the database file."""
    file = tmp_path / "expediter.db"

    async def synchronous() -> object:
        with closing(open_writer(file)) as writing:
            checkpoints = Checkpoints(writing, file)
            try:
                return checkpoints._connection.pragma("synchronous")
            finally:
                await checkpoints.close()

    assert asyncio.run(synchronous()) == FULL


@pytest.mark.parametrize("synchronous", ["OFF", "NORMAL"])
def test_a_build_that_does_not_sync_every_commit_fails_this_test(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, synchronous: str
) -> None:
    unsynced = recorded(tmp_path_factory.mktemp("unsynced"), synchronous=synchronous)

    assert any("forgotten: accepted" in fault for fault in faults(unsynced, tmp_path, FATES["all of it is lost"]))


def test_a_build_that_answers_before_its_commit_fails_this_test(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    early = recorded(tmp_path_factory.mktemp("early"), AnswersEarly)

    assert any("forgotten: accepted" in fault for fault in faults(early, tmp_path, FATES["all of it is lost"]))
