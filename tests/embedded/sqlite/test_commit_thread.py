"""COMMIT beside the loop: it is done when SQLite says so, and whoever waits hears of it and of what went wrong."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import apsw
import pytest

from expediter.embedded.sqlite.commit_thread import Commit, Committer
from expediter.embedded.sqlite.database import open_writer
from tests.support.stage import story


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[apsw.Connection]:
    with closing(open_writer(tmp_path / "test.db")) as opened:
        opened.execute("CREATE TABLE line (value)")
        yield opened


async def ended(commit: Commit) -> float:
    """Waits as the writer does; the seconds that it took. Raises what SQLite raised."""
    if not commit.done:
        await commit.wait()
    if commit.error is not None:
        raise commit.error
    return commit.seconds


@story
async def test_a_commit_is_done_when_sqlite_has_returned_and_not_before(connection: apsw.Connection) -> None:
    disk = threading.Event()
    connection.exec_trace = lambda _, sql, __: sql != "COMMIT" or disk.wait(60)
    committer = Committer(connection)
    connection.execute("BEGIN IMMEDIATE")
    commit = committer.begin()
    assert not commit.done
    waiting = asyncio.create_task(ended(commit))
    await asyncio.sleep(0)
    assert not waiting.done()

    disk.set()

    assert await waiting > 0
    assert commit.done
    assert not connection.in_transaction
    committer.stop()


@story
async def test_a_commit_that_ended_before_is_not_waited_for(connection: apsw.Connection) -> None:
    committer = Committer(connection)
    connection.execute("BEGIN IMMEDIATE")
    commit = committer.begin()
    committer.stop()

    assert commit.done
    assert await ended(commit) > 0


class Between(asyncio.SelectorEventLoop):
    """Has something happen between the moment that somebody looks and the moment that he waits."""

    def happens(self) -> None:
        """Nothing, until it is set."""

    def create_future(self) -> asyncio.Future[Any]:
        self.happens()
        return super().create_future()


def test_a_commit_that_ends_while_the_writer_begins_to_wait_is_noticed(connection: apsw.Connection) -> None:
    disk = threading.Event()
    connection.exec_trace = lambda _, sql, __: sql != "COMMIT" or disk.wait(60)

    async def waits() -> float:
        committer = Committer(connection)
        connection.execute("BEGIN IMMEDIATE")
        commit = committer.begin()

        def ends() -> None:
            disk.set()
            committer.stop()

        loop = asyncio.get_running_loop()
        assert isinstance(loop, Between)
        loop.happens = ends  # type: ignore[method-assign]
        return await ended(commit)

    with asyncio.Runner(loop_factory=Between) as runner:
        assert runner.run(asyncio.wait_for(waits(), 30)) > 0


@story
async def test_what_sqlite_raises_is_raised_where_it_is_waited_for(connection: apsw.Connection) -> None:
    committer = Committer(connection)
    commit = committer.begin()  # nothing was begun that could be committed

    with pytest.raises(apsw.SQLError, match="no transaction"):
        await ended(commit)
    committer.stop()


@story
async def test_each_of_many_commits_is_heard_of(connection: apsw.Connection) -> None:
    committer = Committer(connection)
    for number in range(500):
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO line VALUES (?)", (number,))
        commit = committer.begin()
        if number % 2:
            while not commit.done:
                pass
        assert await ended(commit) > 0
    committer.stop()

    assert connection.execute("SELECT count(*) FROM line").fetchall() == [(500,)]
