"""One home on one connection, driven step by step: orders are placed, some cancelled in the hold, all of them end.

The connection is the only one (a write-ahead log without shared memory needs that), so COMMIT runs on the loop's own
thread here; what is asked of the disk, and when somebody is told, stays in the order that the writer gives it.
"""

import asyncio
import random
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import apsw
import pytest

from expediter.app import intake, orders
from expediter.app.drafts import Draft
from expediter.app.ports import Caller, Work
from expediter.app.tasks.calls import Answer, Call
from expediter.embedded import wiring
from expediter.embedded.clock import new_id
from expediter.embedded.engine.gateways import Gateways
from expediter.embedded.loops.health import Health
from expediter.embedded.settings import ServerSettings, from_environment
from expediter.embedded.sqlite.checkpoints import Checkpoints
from expediter.embedded.sqlite.commit_thread import Commit, Committer
from expediter.embedded.sqlite.database import open_writer
from expediter.embedded.sqlite.session import Session, one
from expediter.embedded.sqlite.write_behind import WriteBehind
from expediter.embedded.sqlite.writer import Writer
from expediter.embedded.stores.executions import SqliteExecutions
from tests.power.recording import Recording

#: Orders in one run, and how many of them come in together at most.
ORDERS, TOGETHER = 100, 8
HOLD_SECONDS = 1
#: Pages in the log from which it is moved into the database file: far fewer than in service, to see it often.
CHECKPOINT = 60
#: Seconds until a lunch that does not end fails the test.
PATIENCE = 60
OPERATOR = Caller()


class HandClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self._now = 1_800_000_000_000
        self._wakes: set[asyncio.Event] = set()

    def now(self) -> int:
        return self._now

    def machine_ahead(self) -> int:
        return 0

    async def wait_until(self, at: int, wake: asyncio.Event) -> None:
        if at > self._now:
            self._wakes.add(wake)
            await wake.wait()
            wake.clear()

    def move(self, milliseconds: int) -> None:
        self._now += milliseconds
        for wake in self._wakes:
            wake.set()


class _OnThisThread(Committer):
    """Each COMMIT is over when it has begun."""

    def begin(self) -> Commit:
        commit = Commit(self._loop)
        commit.run(self._connection)
        return commit


class _Heard(Gateways):
    """The simulated gateways; each call that reaches them is written down."""

    def __init__(self, settings: ServerSettings, recording: Recording) -> None:
        super().__init__(settings.payments, settings.restaurant, {})
        self._recording = recording
        self.simulated = {kind: partial(self._answer, answer) for kind, answer in self.simulated.items()}

    def _answer(self, answer: Callable[[Call], Answer], call: Call) -> Answer:
        self._recording.tell(call.kind, call.order_id)
        return answer(call)


def settings(folder: Path) -> ServerSettings:
    return from_environment(
        {
            "EXPEDITER_DATA": str(folder),
            "EXPEDITER_HOLD_SECONDS": str(HOLD_SECONDS),
            "EXPEDITER_PAYMENTS": "simulated:decline=0.2",
            "EXPEDITER_RESTAURANT": "simulated:decline=0.2",
            "EXPEDITER_NOTIFY": "kitchen@example.com",
        }
    )


class _SameConnection(Checkpoints):
    """Checkpoints as in service, but on the one connection there is."""

    due = False

    def __init__(self, writing: apsw.Connection) -> None:
        self._connection, self._pages = writing, 0
        writing.set_wal_hook(self._committed)

    def _is_due(self) -> bool:
        return self._pages >= CHECKPOINT

    async def between_batches(self) -> None:
        if self._pages >= CHECKPOINT:
            self._connection.wal_checkpoint()


class _Unwatched(Health):
    """Nobody looks at the file: it stands on a disk of its own, and every write to it is counted."""

    async def check_and_start(self, reading: Session, writing: Session, writer: Writer) -> None:
        """Begins nothing."""


class Kitchen:
    """A running home whose every write, and everybody who is told something, is recorded."""

    def __init__(
        self, folder: Path, recording: Recording, clock: HandClock, writer: type[Writer], synchronous: str | None
    ) -> None:
        self.clock, self._recording = clock, recording
        other = () if synchronous is None else (synchronous,)
        self._connection = open_writer(folder / "expediter.db", recording.vfs, *other)
        self._session = WriteBehind(self._connection, clock)
        given = settings(folder)
        file = wiring.File(
            self._session,
            self._session,
            _SameConnection(self._connection),
            _Unwatched(folder, clock, given.orders, None),
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(wiring, "Writer", writer)
            self.home = wiring.build(given, clock, file, wiring.Outside(_Heard(given, recording), None, None))
        self._writer = self.home._writer
        self._writer._committer.stop()
        self._writer._committer = _OnThisThread(self._connection)

    async def start(self) -> None:
        await self.home.start()

    async def stop(self) -> None:
        await self.home.stop()
        self._connection.close()

    def place(self) -> str:
        """Hands an order in; its id. Whoever placed it is told once the writer says that it is done."""
        order_id = new_id()
        draft = Draft(user_id="ann", restaurant_id="Restaurant 4", quantity=3, email="ann@example.com")
        self._ask("accepted", order_id, lambda work: intake.accept(work, OPERATOR, draft, order_id))
        return order_id

    def cancel(self, order_id: str) -> None:
        self._ask("cancelled", order_id, lambda work: orders.cancel(work, OPERATOR, order_id))

    async def settle(self) -> None:
        """Until nothing moves any more without the clock."""
        rounds = 50
        while rounds := rounds - 1 if self._idle else 50:  # noqa: ASYNC110  # no event says that nothing follows
            await asyncio.sleep(0)

    @property
    def _idle(self) -> bool:
        return not self._writer.waiting and one(self._session, "SELECT count(*) FROM message")[0] == 0

    @property
    def running(self) -> int:
        return SqliteExecutions(self._session).running()

    def _ask(self, what: str, order_id: str, handle: Callable[[Work], object]) -> None:
        def done(_: object, error: Exception | None) -> None:
            if error is None:
                self._recording.tell(what, order_id)

        self._writer.submit(what, lambda: handle(self.home._work()), done)


async def lunch(folder: Path, recording: Recording, writer: type[Writer], synchronous: str | None, seed: int) -> None:
    """Half of the orders, a stop and a new start on the same file, then the other half; all of them end."""
    chance, clock = random.Random(seed), HandClock()
    for last in (False, True):
        kitchen = Kitchen(folder, recording, clock, writer, synchronous)
        await kitchen.start()
        placed = 0
        while placed < ORDERS // 2:
            fresh = [kitchen.place() for _ in range(chance.randint(1, TOGETHER))]
            placed += len(fresh)
            await kitchen.settle()
            for order_id in fresh:
                if chance.random() < 0.2:
                    kitchen.cancel(order_id)
            clock.move(chance.randint(0, 600))
            await kitchen.settle()
        while last and kitchen.running:
            clock.move(1000 * HOLD_SECONDS)
            await kitchen.settle()
        await kitchen.stop()


def recorded(folder: Path, writer: type[Writer] = Writer, synchronous: str | None = None, seed: int = 0) -> Recording:
    """The recording of one lunch; by default of the server as it is."""
    recording = Recording()
    with closing(recording):
        asyncio.run(asyncio.wait_for(lunch(folder, recording, writer, synchronous, seed), PATIENCE))
    return recording
