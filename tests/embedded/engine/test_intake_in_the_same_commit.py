"""An accepted order is taken in by the commit that accepts it, so that its message need not be written."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from expediter.app import intake
from expediter.domain.errors import StoreUnavailable
from expediter.embedded.clock import new_id
from expediter.embedded.engine import dispatcher
from expediter.embedded.sqlite.write_behind import WriteBehind
from expediter.embedded.stores.executions import SqliteExecutions
from expediter.embedded.stores.queue import VISIBILITY, SqliteQueue
from tests.embedded.sqlite.test_writer import Bench, writing
from tests.embedded.sqlite.test_writer_sharing import until
from tests.support.clock import VirtualClock
from tests.support.database import in_memory
from tests.support.stage import opened, story

NOON = 43_200_000


class Commits:
    """Writes down which units each commit holds, without those that look after the file at times of their own."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []

    def before_commit(self, names: list[str]) -> None:
        """It is counted once it has returned."""

    def after_commit(self, names: list[str]) -> None:
        self.batches.append([name for name in names if name != "health"])

    def having(self, name: str) -> list[list[str]]:
        return [batch for batch in self.batches if name in batch]


@story
async def test_an_order_is_taken_in_by_the_commit_that_accepts_it(tmp_path: Path) -> None:
    commits = Commits()
    async with opened(tmp_path, observer=commits) as stage:
        order_id = await stage.accept()

        assert commits.having("accept") == [["accept", "intake"]]
        assert stage.order(order_id).id == order_id
        assert stage.read("SELECT count(*) FROM execution") == [(1,)]
        await stage.quiet()
        assert len(commits.having("intake")) == 1


@story
async def test_an_order_that_comes_while_the_disk_works_is_accepted_and_taken_in_meanwhile(tmp_path: Path) -> None:
    commits, disk, connections = Commits(), threading.Event(), list[apsw.Connection]()
    apsw.connection_hooks.append(connections.append)
    try:
        async with opened(tmp_path, observer=commits) as stage:
            await stage.place()
            connections[0].exec_trace = lambda _, sql, __: sql != "COMMIT" or disk.wait(60)  # the writer comes first
            intakes = stage.home._writer.metrics.units["intake"]
            first = asyncio.create_task(stage.accept())
            await until(lambda: sum(intakes.counts) == 2)
            second = asyncio.create_task(stage.accept())
            await asyncio.wait_for(until(lambda: sum(intakes.counts) == 3), 30)
            assert len(commits.having("accept")) == 1
            disk.set()
            await asyncio.gather(first, second)

            assert commits.having("accept") == [["accept", "intake"]] * 3
            assert stage.read("SELECT count(*) FROM execution") == [(3,)]
    finally:
        apsw.connection_hooks.remove(connections.append)


@story
async def test_orders_of_one_commit_are_taken_in_five_at_a_time(tmp_path: Path) -> None:
    commits = Commits()
    async with opened(tmp_path, observer=commits) as stage:
        await asyncio.gather(*(stage.accept() for _ in range(7)))

        assert commits.having("accept") == [["accept"] * 7 + ["intake"] * 2]
        assert stage.read("SELECT count(*) FROM orders") == [(7,)]


@story
async def test_a_message_taken_in_by_its_own_commit_is_never_written(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        await stage.place()

        assert stage.read("SELECT seq FROM sqlite_sequence WHERE name = 'message'") == []
        assert stage.read("SELECT count(*) FROM message") == [(0,)]


@story
async def test_while_a_gateway_does_not_keep_up_orders_are_accepted_and_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits = Commits()
    async with opened(tmp_path, observer=commits) as stage:
        monkeypatch.setattr(stage.home.engine.dispatcher, "_keeping_up", lambda _: False)
        order_id = await stage.accept()

        assert commits.having("accept") == [["accept"]]
        assert stage.read("SELECT count(*) FROM message") == [(1,)]
        assert stage.home.read(lambda work: work.orders.accepted(order_id)) is not None


@story
async def test_an_intake_that_fails_takes_no_accept_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> int:
        raise StoreUnavailable

    async with opened(tmp_path) as stage:
        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(dispatcher, "take_batch", fail)
            order_id = await stage.accept()
        assert stage.read("SELECT count(*) FROM message") == [(1,)]

        await stage.pass_time(2 * dispatcher.PAUSE)

        assert stage.status(order_id) == "PAID"


@story
async def test_an_intake_whose_rows_sqlite_refuses_takes_no_accept_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(tmp_path) as stage:

        def refused(work: object) -> int:
            received = intake.take_batch(work)  # type: ignore[arg-type]  # the unit's ports
            executions = stage.home.engine.workflows._executions
            assert isinstance(executions, SqliteExecutions)
            executions._session.execute("INSERT INTO claim (no) VALUES (NULL)", ())
            return received

        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(dispatcher, "take_batch", refused)
            first, second = await asyncio.gather(stage.accept(), stage.accept())
        assert stage.read("SELECT count(*) FROM message") == [(2,)]

        await stage.pass_time(2 * dispatcher.PAUSE)

        assert (stage.status(first), stage.status(second)) == ("PAID", "PAID")


# ── the writer ────────────────────────────────────────────────────────────────────────────────────────────────────────


def joined_by(bench: Bench, value: str | None, told: list[Exception | None]) -> Callable[[], str]:
    """A unit that writes "first" and has another one, which writes the value, run in the same commit."""

    def unit() -> str:
        bench.writer.submit("second", bench.stage(value), lambda _, error: told.append(error))
        bench.stage("first")()
        return "done"

    return unit


@story
async def test_what_a_unit_submits_runs_behind_the_others_of_its_commit_and_is_in_it(tmp_path: Path) -> None:
    async with writing(tmp_path) as bench:
        told: list[Exception | None] = []
        await asyncio.gather(
            bench.writer.run("a", joined_by(bench, "second", told)), bench.writer.run("b", bench.stage("b"))
        )

        assert bench.log.batches == [["a", "b", "second"]]
        assert (bench.stored(), told) == (["first", "b", "second"], [None])


@story
async def test_a_unit_that_has_to_run_by_itself_is_joined_by_none(tmp_path: Path) -> None:
    async with writing(tmp_path) as bench:
        told: list[Exception | None] = []
        assert await bench.writer.run("a", joined_by(bench, None, told)) == "done"
        while len(told) < 2:
            await bench.writer.run("next", bench.stage("next"))

        assert bench.stored()[0] == "first"
        assert [type(error) for error in told] == [StoreUnavailable, StoreUnavailable]
        assert "second" not in [name for batch in bench.log.batches for name in batch]


# ── the queue ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def session() -> Iterator[WriteBehind]:
    with closing(in_memory()) as connection:
        yield WriteBehind(connection, VirtualClock())


def unit(session: WriteBehind, run: Callable[[], object]) -> None:
    session.begin()
    run()
    session.end()


def statements(session: WriteBehind) -> list[str]:
    """What the connection is asked for from now on, without SELECTs."""
    seen: list[str] = []

    def note(_: apsw.Cursor, sql: str, __: object) -> bool:
        if "SELECT" not in sql:
            seen.append(sql)
        return True

    session.connection.exec_trace = note
    return seen


def send(queue: SqliteQueue, body: bytes) -> None:
    queue.send(body, {"order_id": new_id()}, NOON)


def test_a_message_sent_received_and_deleted_in_one_commit_runs_no_statement(session: WriteBehind) -> None:
    queue = SqliteQueue(session, lambda: None)
    bodies: list[bytes] = []

    def take() -> None:
        for message in queue.receive(5, NOON):
            bodies.append(message.body)
            queue.delete(message.receipt)

    unit(session, lambda: send(queue, b"numbers are counted from here on"))
    unit(session, lambda: queue.delete(queue.receive(5, NOON)[0].receipt))
    session.write()
    seen = statements(session)
    unit(session, lambda: send(queue, b"a"))
    unit(session, lambda: send(queue, b"b"))
    unit(session, take)
    session.write()

    assert (bodies, seen) == ([b"a", b"b"], [])


def test_what_the_file_holds_is_received_before_what_this_commit_brought(session: WriteBehind) -> None:
    queue = SqliteQueue(session, lambda: None)
    received: list[bytes] = []
    unit(session, lambda: send(queue, b"older"))
    session.write()
    unit(session, lambda: send(queue, b"newer"))
    unit(session, lambda: received.extend(message.body for message in queue.receive(5, NOON)))

    assert received == [b"older", b"newer"]


def test_a_message_that_was_undone_is_not_received(session: WriteBehind) -> None:
    queue = SqliteQueue(session, lambda: None)
    received: list[bytes] = []
    session.begin()
    send(queue, b"undone")
    session.undo()
    unit(session, lambda: send(queue, b"kept"))
    unit(session, lambda: received.extend(message.body for message in queue.receive(5, NOON)))

    assert received == [b"kept"]


def test_a_message_received_in_its_own_commit_and_not_deleted_comes_again(session: WriteBehind) -> None:
    queue = SqliteQueue(session, lambda: None)
    counts: list[int] = []

    def receive(now: int) -> None:
        counts.extend(message.receive_count for message in queue.receive(5, now))

    unit(session, lambda: send(queue, b"a"))
    unit(session, lambda: receive(NOON))
    unit(session, lambda: receive(NOON + VISIBILITY - 1))
    assert counts == [1]
    unit(session, lambda: receive(NOON + VISIBILITY))
    assert counts == [1, 2]
    session.write()
    session.kept()
    unit(session, lambda: receive(NOON + 2 * VISIBILITY))
    assert counts == [1, 2, 3]
