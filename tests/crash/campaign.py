"""Life after life of one server on one folder, each ended by SIGKILL somewhere else, while customers order.

Each life has other settings: price, currency and hold of new orders, the restaurant's secret, the workflow.
"""

import asyncio
import random
import signal
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from gc import collect
from pathlib import Path

import msgspec

from expediter.embedded.sqlite.database import open_reader
from tests.crash.audit import Evidence, gather
from tests.crash.customers import Customers
from tests.crash.points import AT_STOP, CALL_POINTS, COMMIT_POINTS, RARE, Point
from tests.crash.processes import LOADING, Changed, Outside, Server, outside

#: Seconds that a server gets to pass the point it shall die at, before it is killed wherever it is.
REACH = 3.0

#: Messages that wait, workflows that run, mails that were not sent.
_UNSETTLED = """
    SELECT (SELECT count(*) FROM message),
           (SELECT count(*) FROM execution WHERE due_at IS NOT NULL),
           (SELECT count(*) FROM mail WHERE sent_at IS NULL),
           (SELECT count(*) FROM event WHERE due_at IS NOT NULL)
"""

#: Seconds until a server is asked to stop that shall die while it does.
BRIEFLY = 0.3

Life = Callable[[], None]


class Plan(msgspec.Struct, frozen=True):
    """How many kills at each commit point, at each call that goes out, and of the other kinds; orders in all.

    ``seconds``: begins no new life after that. ``settling``: seconds until everything has ended behind the last start.
    """

    at_commits: int
    at_calls: int
    at_random: int
    while_starting: int
    while_draining: int
    orders: int
    seconds: float
    settling: float = 90.0
    commits: tuple[Point, ...] = COMMIT_POINTS
    calls: tuple[Point, ...] = CALL_POINTS


class Campaign:
    """``hits`` counts the kills by what they hit, ``starts`` are the seconds that each start took."""

    def __init__(self, folder: Path, providers: Outside, plan: Plan, seed: int) -> None:
        self.hits: Counter[str] = Counter()
        self.starts: list[float] = []
        self.clean_stops = 0
        self.customers = Customers(seed)
        self._folder, self._providers, self._plan = folder, providers, plan
        self._chance = random.Random(seed)
        self._until = time.monotonic() + plan.seconds
        self._per_life = 0

    @property
    def kills(self) -> int:
        return self.hits.total()

    def run(self, progress: Callable[[int, int], None] = lambda done, of: None) -> Evidence:
        """Kills as planned, then lets everything settle; what is there to look at."""
        lives = list(self._lives())
        self._chance.shuffle(lives)
        for number, life in enumerate(lives):
            if time.monotonic() > self._until:
                break
            self._per_life = self._not_placed // (len(lives) - number)
            life()
            progress(number + 1, len(lives))
        for point, missing in self._missing():
            for _ in range(5 * missing):
                if time.monotonic() < self._until and self.hits[str(point)] < self._wanted(point):
                    self._die_at(point)
        self._settle()
        return gather(self._folder, self.customers.orders, self._providers)

    @property
    def _not_placed(self) -> int:
        return max(0, self._plan.orders - len(self.customers.orders))

    def _lives(self) -> Iterator[Life]:
        plan = self._plan
        for points, times in ((plan.commits, plan.at_commits), (plan.calls, plan.at_calls)):
            yield from (lambda point=point: self._die_at(point) for point in points for _ in range(times))
        yield from [self._die_at_random] * plan.at_random
        yield from [self._die_while_starting] * plan.while_starting
        yield from [self._die_while_draining] * plan.while_draining

    def _missing(self) -> Iterator[tuple[Point, int]]:
        for point in (*self._plan.commits, *self._plan.calls):
            if (missing := self._wanted(point) - self.hits[str(point)]) > 0:
                yield point, missing

    def _wanted(self, point: Point) -> int:
        return self._plan.at_commits if point in self._plan.commits else self._plan.at_calls

    # ── lives ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _die_at(self, point: Point) -> None:
        server = self._start(point, 1 if point.name in RARE else self._chance.randint(1, 4))
        if url := self._serving(server):
            asyncio.run(self._customers(server, url, BRIEFLY if point.name in AT_STOP else REACH))
        if point.name in AT_STOP:
            server.signal(signal.SIGTERM)
            self._count("", server.reaped(), point)
        else:
            self._count("", server.kill(), point)

    def _die_at_random(self) -> None:
        server = self._start()
        asyncio.run(self._customers(server, self._serving(server), self._chance.uniform(0, 1.5)))
        self._count("at random: ", server.kill())

    def _die_while_starting(self) -> None:
        """Somewhere behind its imports: in the recovery, or just after it."""
        server = self._start()
        while server.doing == LOADING and server.process.poll() is None:
            time.sleep(0.002)
        time.sleep(self._chance.uniform(0, 0.15))
        self._count("while starting: ", server.kill())

    def _die_while_draining(self) -> None:
        server = self._start()
        asyncio.run(self._customers(server, self._serving(server), self._chance.uniform(0.1, 0.8)))
        server.signal(signal.SIGTERM)
        time.sleep(self._chance.uniform(0, 0.3))
        self._count("while draining: ", server.kill())

    def _start(self, point: Point | None = None, nth: int = 1) -> Server:
        hold = 0 if point and point.name not in RARE | {"timer"} and self._chance.random() < 0.3 else 1
        chosen = self._chance.choice
        changed = Changed(
            hold_seconds=hold,
            price=chosen((1_000, 2_000, 700, 0)),
            currency=chosen(("USD", "JPY", "KWD")),
            keep_days=chosen((30, 60)),
            secret=chosen(("one", "two")),
            other_workflow=chosen((True, False)),
        )
        return Server(self._folder, self._providers, changed, point, nth)

    def _serving(self, server: Server) -> str:
        url = server.serving()
        if url:
            self.starts.append(time.monotonic() - server.started)
        return url

    async def _customers(self, server: Server, url: str, seconds: float) -> None:
        """Lets customers order until the server is dead or the time is over."""
        end = time.monotonic() + seconds
        visit = asyncio.create_task(self.customers.visit(url, self._per_life))
        while time.monotonic() < end and server.process.poll() is None:  # noqa: ASYNC110  # a process sets no Event
            await asyncio.sleep(0.01)
        if visit.done():
            await visit
        else:
            visit.cancel()
            await asyncio.gather(visit, return_exceptions=True)
            _sweep()

    def _count(self, prefix: str, doing: str | None, point: Point | None = None) -> None:
        if doing is None:
            self.clean_stops += 1
        elif point and doing != str(point):
            self.hits[f"at random: {doing}"] += 1
        else:
            self.hits[prefix + doing] += 1

    # ── the end ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _settle(self) -> None:
        """A last life, in which every customer gets an answer and every order ends."""
        server = self._start()
        url = self._serving(server)
        deadline = time.monotonic() + self._plan.settling
        asyncio.run(self.customers.visit(url, self._not_placed))
        while self.customers.unanswered and time.monotonic() < deadline:
            asyncio.run(self.customers.visit(url, 0))
        with closing(open_reader(self._folder / "data" / "expediter.db")) as connection:
            while connection.execute(_UNSETTLED).fetchone() != (0, 0, 0, 0) and time.monotonic() < deadline:
                time.sleep(0.1)
        server.signal(signal.SIGTERM)
        server.reaped()


@contextmanager
def campaign(folder: Path, plan: Plan, seed: int) -> Iterator[Campaign]:
    """A campaign with its providers running."""
    with outside(folder) as providers:
        yield Campaign(folder, providers, plan, seed)


def _sweep() -> None:
    """Who is cut off in the middle of connecting leaves his socket to the garbage collector, which warns of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        collect()
