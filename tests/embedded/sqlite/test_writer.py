"""The group commit: who is written together, who is answered when, and what a failure takes along."""

import asyncio
import resource
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path

import apsw
import pytest

from expediter.domain.errors import StoreUnavailable, TooBusy
from expediter.embedded.sqlite.database import open_writer
from expediter.embedded.sqlite.units import BATCH_LIMIT
from expediter.embedded.sqlite.write_behind import WriteBehind
from expediter.embedded.sqlite.writer import Writer
from tests.support.clock import VirtualClock
from tests.support.stage import story

INSERT = "INSERT INTO line VALUES (?)"


class Log:
    """The writer's hooks, its pause and its observer in one: notes what the writer does, and has the session do it."""

    def __init__(self, session: WriteBehind) -> None:
        self._session = session
        self.due = True
        self.lines: list[str] = []
        self.batches: list[list[str]] = []
        #: Done once, just before the next commit.
        self.once: Callable[[], object] | None = None

    def begin(self) -> None:
        self.lines.append("begin")
        self._session.begin()

    def end(self) -> None:
        self.lines.append("end")
        self._session.end()

    def undo(self) -> None:
        self.lines.append("undo")
        self._session.undo()

    def write(self) -> None:
        self.lines.append("write")
        self._session.write()

    def committing(self) -> None:
        self._session.committing()

    def kept(self) -> None:
        self._session.kept()

    def lost(self, why: BaseException) -> None:
        self._session.lost(why)

    def before_commit(self, names: list[str]) -> None:
        self.lines.append("before commit")
        once, self.once = self.once, None
        if once:
            once()

    def after_commit(self, names: list[str]) -> None:
        self.lines.append("after commit")
        self.batches.append(names)

    async def between_batches(self) -> None:
        self.lines.append("between")


class Bench:
    """A writer on a file with one table, and a reader that sees what is committed."""

    def __init__(self, writer: Writer, session: WriteBehind, reader: apsw.Connection, log: Log) -> None:
        self.writer = writer
        self.session = session
        self.connection = session.connection
        self.log = log
        self._reader = reader
        #: COMMIT waits until it is set, as for a disk that stands still.
        self.disk = threading.Event()
        self.disk.set()
        self.connection.exec_trace = self._commits

    def _commits(self, _: apsw.Cursor, sql: str, __: object) -> bool:
        return sql != "COMMIT" or self.disk.wait(60)

    def insert(self, value: str) -> Callable[[], str]:
        """Writes a line at once."""

        def unit() -> str:
            self.session.rows(INSERT, (value,))
            return value

        return unit

    def stage(self, value: str | None) -> Callable[[], str | None]:
        """Has a line written when the batch is."""

        def unit() -> str | None:
            self.session.execute(INSERT, (value,))
            return value

        return unit

    def stored(self) -> list[str]:
        return [value for (value,) in self._reader.execute("SELECT value FROM line ORDER BY rowid")]


@asynccontextmanager
async def writing(folder: Path) -> AsyncIterator[Bench]:
    file = folder / "test.db"
    with closing(open_writer(file)) as connection, closing(apsw.Connection(str(file))) as reader:
        connection.execute("CREATE TABLE line (value NOT NULL)")
        session = WriteBehind(connection, VirtualClock())
        log = Log(session)
        writer = Writer(connection, log, log, log)
        try:
            yield Bench(writer, session, reader, log)
        finally:
            await writer.stop()


@contextmanager
def no_room_beyond(size: int) -> Iterator[None]:
    """No file of this process may grow beyond ``size`` bytes: to SQLite that is a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@story
async def test_units_that_wait_together_are_committed_together(tmp_path: Path) -> None:
    async with writing(tmp_path) as bench:
        given = await asyncio.gather(*(bench.writer.run(name, bench.insert(name)) for name in "abc"))

        assert given == ["a", "b", "c"]
        assert bench.log.batches == [["a", "b", "c"]]
        assert bench.stored() == ["a", "b", "c"]


@story
async def test_a_commit_holds_no_more_units_than_a_batch(tmp_path: Path) -> None:
    async with writing(tmp_path) as bench:
        await asyncio.gather(*(bench.writer.run("x", bench.insert("x")) for _ in range(BATCH_LIMIT + 1)))

        assert [len(batch) for batch in bench.log.batches] == [BATCH_LIMIT, 1]


@story
async def test_a_unit_that_raises_loses_its_own_writes_and_nobody_elses(tmp_path: Path) -> None:
    async with writing(tmp_path) as bench:

        def fails() -> None:
            bench.insert("lost")()
            raise ZeroDivisionError

        units = [bench.insert("a"), fails, bench.insert("b")]
        first, second, third = await asyncio.gather(
            *(bench.writer.run("x", unit) for unit in units), return_exceptions=True
        )

        assert (first, third) == ("a", "b")
        assert isinstance(second, ZeroDivisionError)
        assert bench.stored() == ["a", "b"]


@story
async def test_what_a_unit_staged_is_lost_with_it_and_what_others_staged_is_written(tmp_path: Path) -> None:
    async with writing(tmp_path) as bench:

        def fails() -> None:
            bench.stage("lost")()
            raise ZeroDivisionError

        units = [bench.stage("a"), fails, bench.stage("b")]
        await asyncio.gather(*(bench.writer.run("x", unit) for unit in units), return_exceptions=True)

        assert bench.stored() == ["a", "b"]


@story
async def test_a_row_that_sqlite_refuses_fails_the_unit_that_staged_it_alone(tmp_path: Path) -> None:
    async with writing(tmp_path) as bench:
        units = [bench.stage("a"), bench.stage(None), bench.stage("b")]
        told = await asyncio.gather(*(bench.writer.run("x", unit) for unit in units), return_exceptions=True)

        assert (told[0], told[2], bench.stored()) == ("a", "b", ["a", "b"])
        assert isinstance(told[1], StoreUnavailable)
        assert bench.writer.metrics.commits_lost == 0  # the disk did nothing wrong


@story
async def test_what_surrounds_units_hears_where_each_begins_and_how_it_ends(tmp_path: Path) -> None:
    async with writing(tmp_path) as bench:
        good, bad = bench.writer.run("good", bench.insert("a")), bench.writer.run("bad", lambda: 1 / 0)
        await asyncio.gather(good, bad, return_exceptions=True)

        assert bench.log.lines[:7] == ["begin", "end", "begin", "undo", "write", "before commit", "after commit"]


@story
async def test_nobody_is_answered_before_the_commit_that_holds_his_unit(tmp_path: Path) -> None:
    async with writing(tmp_path) as bench:
        answered: list[str] = []

        def done(result: str | None, error: Exception | None) -> None:
            bench.log.lines.append("answered")
            answered.extend(bench.stored())

        bench.writer.submit("a", bench.insert("a"), done)
        await bench.writer.stop()

        assert bench.log.lines.index("answered") > bench.log.lines.index("after commit")
        assert answered == ["a"]


@story
async def test_what_comes_in_during_a_commit_makes_the_next_batch(tmp_path: Path) -> None:
    async with writing(tmp_path) as bench:
        later: list[asyncio.Future[str]] = []
        bench.log.once = lambda: later.append(bench.writer.run("late", bench.insert("late")))
        await bench.writer.run("early", bench.insert("early"))
        await later[0]

        assert bench.log.batches == [["early"], ["late"]]


@story
async def test_a_commit_that_fails_is_answered_to_every_caller_in_it_and_the_writer_goes_on(tmp_path: Path) -> None:
    async with writing(tmp_path) as bench:
        bench.connection.execute("PRAGMA foreign_keys = ON")
        bench.connection.execute("CREATE TABLE parent (id INTEGER PRIMARY KEY)")
        bench.connection.execute("CREATE TABLE child (id REFERENCES parent DEFERRABLE INITIALLY DEFERRED)")
        happened: list[str] = []

        def orphan() -> None:
            bench.session.rows("INSERT INTO child VALUES (1)")

        def good() -> None:
            bench.insert("innocent")()
            bench.writer.after(lambda: happened.append("after"))

        told = await asyncio.gather(
            bench.writer.run("good", good), bench.writer.run("orphan", orphan), return_exceptions=True
        )
        assert [type(error) for error in told] == [StoreUnavailable, StoreUnavailable]
        assert (happened, bench.stored()) == ([], [])

        await bench.writer.run("next", bench.insert("next"))

        assert bench.stored() == ["next"]


@story
async def test_a_full_disk_is_answered_to_every_caller_in_the_commit_and_the_writer_goes_on(tmp_path: Path) -> None:
    async with writing(tmp_path) as bench:
        await bench.writer.run("first", bench.insert("first"))
        units = [bench.insert("small"), bench.insert("large" * 100_000)]
        with no_room_beyond(200_000):
            told = await asyncio.gather(*(bench.writer.run("x", unit) for unit in units), return_exceptions=True)
        assert [type(error) for error in told] == [StoreUnavailable, StoreUnavailable]
        assert bench.writer.metrics.commits_lost == 1

        await bench.writer.run("next", bench.insert("next"))

        assert bench.stored() == ["first", "next"]
        assert (bench.writer.metrics.commits_lost, bench.writer.metrics.batches.counts[0]) == (1, 2)
        assert bench.connection.pragma("integrity_check") == "ok"


@story
async def test_a_file_that_may_not_grow_fails_the_unit_that_needs_room_alone(tmp_path: Path) -> None:
    async with writing(tmp_path) as bench:
        bench.connection.pragma("max_page_count", bench.connection.pragma("page_count") + 2)
        units = [bench.insert("small"), bench.insert("large" * 100_000)]
        small, large = await asyncio.gather(*(bench.writer.run("x", unit) for unit in units), return_exceptions=True)

        assert isinstance(large, apsw.FullError | StoreUnavailable)
        assert bench.stored() == (["small"] if small == "small" else [])

        await bench.writer.run("next", bench.insert("next"))


@story
async def test_what_shall_happen_after_happens_once_it_is_durable_and_never_when_undone(tmp_path: Path) -> None:
    async with writing(tmp_path) as bench:
        seen: list[tuple[str, list[str]]] = []

        def unit(name: str, wrong: bool) -> Callable[[], None]:
            def run() -> None:
                bench.insert(name)()
                bench.writer.after(lambda: seen.append((name, bench.stored())))
                if wrong:
                    raise ZeroDivisionError

            return run

        runs = (bench.writer.run("x", unit(name, wrong=name == "bad")) for name in ("good", "bad"))
        await asyncio.gather(*runs, return_exceptions=True)

        assert seen == [("good", ["good"])]


@story
async def test_after_belongs_inside_a_unit(tmp_path: Path) -> None:
    async with writing(tmp_path) as bench:
        with pytest.raises(RuntimeError):
            bench.writer.after(lambda: None)


@story
async def test_stopping_commits_what_was_submitted_and_takes_nothing_more(tmp_path: Path) -> None:
    async with writing(tmp_path) as bench:
        bench.writer.submit("x", bench.insert("last"), lambda _, __: None)
        await bench.writer.stop()

        assert bench.stored() == ["last"]
        with pytest.raises(TooBusy):
            await bench.writer.run("late", bench.insert("late"))


@story
async def test_who_goes_away_before_the_answer_leaves_his_write_behind(tmp_path: Path) -> None:
    async with writing(tmp_path) as bench:
        gone = bench.writer.run("x", bench.insert("a"))
        bench.log.once = gone.cancel
        await asyncio.gather(gone, return_exceptions=True)
        await bench.writer.run("y", bench.insert("b"))

        assert gone.cancelled()
        assert bench.stored() == ["a", "b"]
