"""Another program locks the file, as a shell with BEGIN IMMEDIATE does: the writer waits, and the loop does not."""

import asyncio
import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import apsw
import pytest

from expediter.domain.errors import StoreUnavailable
from expediter.embedded.sqlite import writer
from expediter.embedded.sqlite.files import lock_holders
from tests.embedded.sqlite.test_writer import INSERT, writing
from tests.embedded.sqlite.test_writer_sharing import until
from tests.support.stage import story


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Somebody has begun to write, and does not come to an end."""
    with closing(apsw.Connection(str(file))) as somebody:
        somebody.execute("BEGIN IMMEDIATE")
        yield
        somebody.execute("ROLLBACK")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests are refused at once."""
    monkeypatch.setattr(writer, "LOCK_LIMIT", 0.0)
    monkeypatch.setattr(writer, "LOCK_PAUSE", 0.0)


@story
async def test_a_lock_that_is_short_delays_requests_and_refuses_none(tmp_path: Path) -> None:
    async with writing(tmp_path) as bench:
        with locked(tmp_path / "test.db"):
            request = bench.writer.run("a", bench.insert("a"))
            for _ in range(100):
                await asyncio.sleep(0)  # the loop goes on
            assert not request.done()
        assert await request == "a"
        assert bench.stored() == ["a"]


@pytest.mark.usefixtures("impatient")
def test_a_lock_that_stays_refuses_requests_and_keeps_the_work(tmp_path: Path) -> None:
    @story
    async def told() -> None:
        async with writing(tmp_path) as bench:
            done: list[Exception | None] = []
            with locked(tmp_path / "test.db"):
                bench.writer.submit("work", bench.insert("work"), lambda _, error: done.append(error))
                requests = [bench.writer.run(name, bench.insert(name)) for name in "ab"]
                for error in await asyncio.gather(*requests, return_exceptions=True):
                    assert isinstance(error, StoreUnavailable)
                    assert "Another program has locked" in str(error)
                assert done == []
                assert bench.writer.waiting == 1
            await until(lambda: bool(done))
            assert done == [None]
            assert bench.stored() == ["work"]

    told()


@pytest.mark.usefixtures("impatient")
def test_a_unit_that_ran_ahead_of_the_lock_runs_again_and_is_stored_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @story
    async def told() -> None:
        with ExitStack() as lock:
            async with writing(tmp_path) as bench:
                done: list[Exception | None] = []
                runs: list[str] = []

                def ahead() -> None:
                    runs.append("ahead")
                    bench.session.execute(INSERT, ("ahead",))

                def after_commit(_: list[str]) -> None:
                    monkeypatch.setattr(bench.log, "after_commit", lambda _: None)
                    lock.enter_context(locked(tmp_path / "test.db"))

                bench.disk.clear()
                first = bench.writer.run("first", bench.stage("first"))
                await until(lambda: "before commit" in bench.log.lines)
                bench.writer.submit("ahead", ahead, lambda _, error: done.append(error))
                assert runs == ["ahead"]
                monkeypatch.setattr(bench.log, "after_commit", after_commit)
                bench.disk.set()
                await first
                await until(lambda: bench.writer._failing)
                assert bench.stored() == ["first"]
                lock.close()
                await until(lambda: bool(done))
                assert (runs, done) == (["ahead", "ahead"], [None])
                assert bench.stored() == ["first", "ahead"]

    told()


@pytest.mark.usefixtures("impatient")
def test_a_lock_is_reported_once_and_so_is_its_end(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    @story
    async def told() -> None:
        async with writing(tmp_path) as bench:
            with locked(tmp_path / "test.db"):
                for _ in range(3):
                    with pytest.raises(StoreUnavailable):
                        await bench.writer.run("a", bench.insert("a"))
            await bench.writer.run("a", bench.insert("a"))

    with caplog.at_level(logging.WARNING):
        told()
    assert [record.getMessage() for record in caplog.records] == [
        "nothing can be written: requests get 503 until that is over",
        "writing works again",
    ]


@pytest.mark.usefixtures("impatient")
def test_a_writer_that_stops_does_not_wait_for_the_lock(tmp_path: Path) -> None:
    @story
    async def told() -> None:
        async with writing(tmp_path) as bench:
            done: list[Exception | None] = []
            with locked(tmp_path / "test.db"):
                bench.writer.submit("work", bench.insert("work"), lambda _, error: done.append(error))
                await bench.writer.stop()
            assert isinstance(done[0], StoreUnavailable)
            assert bench.stored() == []

    told()


def test_the_process_that_has_the_lock_is_named(tmp_path: Path) -> None:
    if not Path("/proc/locks").exists():
        pytest.skip("only Linux tells who has a lock")
    file = tmp_path / "test.db"
    script = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None); "
    script += "c.execute('BEGIN IMMEDIATE'); print(flush=True); sys.stdin.read()"
    with closing(apsw.Connection(str(file))) as connection:
        connection.pragma("journal_mode", "wal")
        connection.execute("CREATE TABLE line (value)")
        assert lock_holders(file) == ""
        with subprocess.Popen(
            [sys.executable, "-c", script, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as somebody:
            assert somebody.stdout
            somebody.stdout.readline()
            assert lock_holders(file).endswith(f" {somebody.pid}")
            somebody.communicate()
        assert lock_holders(file) == ""
