"""What runs while COMMIT of the batch before is under way: it is as if it had waited."""

import asyncio
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from expediter.domain.errors import StoreUnavailable
from expediter.embedded.sqlite.session import Change, Mapper, Session, Writes, one
from tests.embedded.sqlite.test_writer import Bench, writing
from tests.embedded.sqlite.test_writer_sharing import until
from tests.support.stage import story

READ = "SELECT count FROM tally WHERE no = ?"
ADD = "INSERT INTO tally (no, count) VALUES (?1, ?2)"
CHANGE = "UPDATE tally SET count = count + ?2 WHERE no = ?1"


class Tally(NamedTuple):
    """How often a number was counted. ``fresh``: how often since it was last written, which is what is written."""

    no: int
    total: int
    fresh: int


def _read(session: Session, no: int) -> Tally | None:
    row = session.row(READ, (no,))
    return Tally(no, row[0], 0) if row else None


def _write(changes: Sequence[Change[Tally]]) -> Writes:
    for before, tally in changes:
        if tally is not None:
            grown = tally.fresh - (before.fresh if before else 0)
            yield CHANGE if before else ADD, [(tally.no, grown)]


def _keep(tally: Tally) -> Tally | None:
    """Rows of even numbers are not kept in memory, as those of orders that ended are not."""
    return Tally(tally.no, tally.total, 0) if tally.no % 2 else None


class Tallies:
    """A table of counters behind the cache."""

    def __init__(self, bench: Bench) -> None:
        self._rows = bench.session.table(Mapper("tally", _read, _write, _keep))

    def add(self, no: int, number: int = 1) -> int:
        """Counts; the count so far."""
        before = self._rows[no]
        count, fresh = (before.total, before.fresh) if before else (0, 0)
        self._rows.put(no, before, Tally(no, count + number, fresh + number))
        return count

    def select(self) -> None:
        self._rows.select("SELECT count(*) FROM tally", ())


@contextmanager
def commits_held(bench: Bench) -> Iterator[None]:
    """As by a disk that stands still."""
    bench.disk.clear()
    try:
        yield
    finally:
        bench.disk.set()


async def first_then(bench: Bench, unit: Callable[[], object], second: Callable[[], object]) -> asyncio.Future[object]:
    """A unit of a request, and one more that waits when its COMMIT begins."""
    bench.log.once = lambda: bench.writer.submit("second", second, lambda _, __: bench.log.lines.append("told"))
    first = bench.writer.run("first", unit)
    await until(lambda: "before commit" in bench.log.lines)
    return first


@story
async def test_a_unit_that_finds_all_it_needs_in_memory_does_not_wait_for_the_commit_before_it(tmp_path: Path) -> None:
    async with writing(tmp_path) as bench:
        with commits_held(bench):
            first = await first_then(bench, bench.stage("a"), bench.stage("b"))
            await until(lambda: bench.log.lines.count("end") == 2)
            assert "after commit" not in bench.log.lines
        await first
        await bench.writer.stop()

        assert bench.log.lines.index("told") > len(bench.log.lines) - 1 - bench.log.lines[::-1].index("after commit")
        assert bench.stored() == ["a", "b"]


@story
async def test_a_unit_that_needs_the_file_runs_again_after_the_commit(tmp_path: Path) -> None:
    async with writing(tmp_path) as bench:
        seen: list[object] = []

        def counts() -> None:
            seen.append("asks")
            bench.writer.after(lambda: seen.append("after"))
            seen.append(one(bench.session, "SELECT count(*) FROM line"))

        with commits_held(bench):
            first = await first_then(bench, bench.stage("a"), counts)
            await until(lambda: seen == ["asks"])
        await first
        await bench.writer.stop()

        assert seen == ["asks", "asks", (1,), "after"]


@story
async def test_what_ran_during_a_commit_that_failed_runs_again_without_what_that_had_written(tmp_path: Path) -> None:
    async with writing(tmp_path) as bench:
        _parents(bench)
        tallies, seen = table(bench), list[int]()

        def first_and_orphan() -> None:
            bench.session.execute("INSERT INTO child VALUES (?1)", (1,))
            tallies.add(1, 10)

        def second() -> None:
            count = tallies.add(1)
            bench.writer.after(lambda: seen.append(count))

        with commits_held(bench):
            first = await first_then(bench, first_and_orphan, second)
            await until(lambda: bench.log.lines.count("end") == 2)
        told = await asyncio.gather(first, return_exceptions=True)
        await bench.writer.stop()

        assert isinstance(told[0], StoreUnavailable)
        assert (seen, counted(bench)) == ([0], {1: 1})


@story
async def test_who_comes_while_a_commit_is_waited_for_has_his_turn_at_once_and_is_in_the_next(tmp_path: Path) -> None:
    async with writing(tmp_path) as bench:
        with commits_held(bench):
            first = bench.writer.run("first", bench.stage("a"))
            await until(lambda: "before commit" in bench.log.lines)
            second = bench.writer.run("second", bench.stage("b"))
            bench.writer.submit("third", bench.stage("c"), lambda _, __: None)
            await until(lambda: bench.log.lines.count("end") == 3)
            assert "after commit" not in bench.log.lines
        await asyncio.gather(first, second)

        assert bench.log.batches == [["first"], ["second", "third"]]
        assert bench.stored() == ["a", "b", "c"]


@story
async def test_who_comes_when_the_next_commit_after_a_lost_one_is_made_is_in_a_later_one(tmp_path: Path) -> None:
    async with writing(tmp_path) as bench:
        _parents(bench)
        told: list[object] = []
        orphan = bench.writer.run("bad", lambda: bench.session.execute("INSERT INTO child VALUES (?1)", (1,)))
        await asyncio.gather(orphan, return_exceptions=True)

        late = bench.stage("late")
        bench.log.once = lambda: bench.writer.submit("late", late, lambda _, error: told.append(error))
        await bench.writer.run("good", bench.stage("good"))
        await until(lambda: told != [])

        assert told == [None]
        assert bench.stored() == ["good", "late"]


def _parents(bench: Bench) -> None:
    """A child without a parent makes COMMIT fail."""
    bench.connection.execute("PRAGMA foreign_keys = ON")
    bench.connection.execute("CREATE TABLE parent (id INTEGER PRIMARY KEY)")
    bench.connection.execute("CREATE TABLE child (id REFERENCES parent DEFERRABLE INITIALLY DEFERRED)")


def table(bench: Bench) -> Tallies:
    bench.connection.execute("CREATE TABLE tally (no INTEGER PRIMARY KEY, count INTEGER)")
    return Tallies(bench)


def counted(bench: Bench) -> dict[int, int]:
    return dict(map(tuple, bench.connection.execute("SELECT no, count FROM tally")))


acts = st.sampled_from(["add", "add", "add", "add", "select", "refused", "orphan", "orphan", "raise"])
todos = st.lists(st.tuples(acts, st.integers(0, 3)), min_size=1, max_size=3)
#: Units that come at once: those of requests, and those of what is under way.
waves = st.lists(
    st.tuples(st.lists(todos, max_size=5), st.lists(todos, min_size=1, max_size=8)), min_size=2, max_size=6
)

Todo = list[tuple[str, int]]


class Story:
    """Units that do what they are given, and what the file has to hold for those that were told of success."""

    def __init__(self, bench: Bench) -> None:
        _parents(bench)
        self._bench = bench
        self._tallies = table(bench)
        self.wanted = Counter[int]()
        self.told = 0
        self._hold_commit()

    def _hold_commit(self) -> None:
        """Every COMMIT waits until the loop has gone round some times, so that what can run before it is over does, and
        others come meanwhile.
        """
        self._bench.disk = threading.Event()
        self._go_round(4, self._bench.disk.set)
        self._bench.log.once = self._hold_commit

    def _go_round(self, times: int, then: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        loop.call_soon(partial(self._go_round, times - 1, then) if times else then)

    def unit(self, todo: Todo) -> Callable[[], None]:
        def run() -> None:
            for kind, no in todo:
                self._act(kind, no)

        return run

    def _act(self, kind: str, no: int) -> None:
        session = self._bench.session
        if kind == "add":
            self._tallies.add(no)
        elif kind == "select":
            self._tallies.select()
        elif kind == "refused":
            session.execute("INSERT INTO line VALUES (?)", (None,))
        elif kind == "orphan":
            session.rows("INSERT INTO child VALUES (1)")
        else:
            raise ZeroDivisionError

    def tell(self, todo: Todo, error: object) -> None:
        self.told += 1
        if error is None:
            self.wanted.update(no for kind, no in todo if kind == "add")

    def done(self, todo: Todo, _: object, error: Exception | None) -> None:
        self.tell(todo, error)

    async def request(self, todo: Todo) -> None:
        (result,) = await asyncio.gather(self._bench.writer.run("request", self.unit(todo)), return_exceptions=True)
        self.tell(todo, result)


@settings(max_examples=60, deadline=None)
@given(waves)
def test_every_unit_that_is_told_of_success_is_in_the_file_once_and_no_other(them: list) -> None:
    asyncio.run(_told_is_stored(them))


async def _told_is_stored(them: list[tuple[list[Todo], list[Todo]]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with writing(Path(folder)) as bench, asyncio.TaskGroup() as group:
            story = Story(bench)
            for requests, work in them:
                for todo in requests:
                    group.create_task(story.request(todo))
                await asyncio.sleep(0)
                for todo in work:
                    bench.writer.submit("work", story.unit(todo), partial(story.done, todo))
                await asyncio.sleep(0)
            await until(lambda: story.told == sum(len(requests) + len(work) for requests, work in them))
            assert counted(bench) == story.wanted
