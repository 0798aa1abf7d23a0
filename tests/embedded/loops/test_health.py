"""A file that is damaged or cannot be written: the server says so once, and takes no orders into it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import apsw
import pytest

from demo.mailserver import MailServer, receiving
from expediter.domain.errors import StoreUnavailable
from expediter.domain.outage import Outage
from expediter.embedded.clock import SystemClock
from expediter.embedded.loops import health
from expediter.embedded.loops.health import CHECK, LOOK, seen_at
from expediter.embedded.settings import from_environment
from expediter.embedded.sqlite import writer
from expediter.embedded.sqlite.database import DataRefused, open_reader
from expediter.embedded.sqlite.integrity import quick_check, thorough_check
from expediter.embedded.wiring import open_home
from tests.support.clock import VirtualClock
from tests.support.stage import Stage, opened, story

OPS = "ops@example.com"
FILE = "expediter.db"


@pytest.fixture
def post() -> Iterator[tuple[MailServer, str]]:
    server = MailServer()
    with receiving(server) as url:
        yield server, url


@asynccontextmanager
async def once(folder: Path) -> AsyncIterator[Stage]:
    """A home with one order that ended."""
    async with opened(folder, HOLD_SECONDS="0") as stage:
        await stage.to_the_end(await stage.place())
        yield stage


def damage(folder: Path, table: str) -> None:
    """Overwrites the first page of a table, as a failing disk does."""
    file = folder / FILE
    with closing(apsw.Connection(str(file))) as connection:
        connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        ((page,),) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,))
        size = connection.pragma("page_size")
    with file.open("r+b") as raw:
        raw.seek((page - 1) * size)
        raw.write(b"\xff" * size)


def outages(log: pytest.LogCaptureFixture) -> list[str]:
    return [str(record.__dict__["outage"]) for record in log.records if record.name == "expediter.health"]


async def look(stage: Stage) -> None:
    """Lets the time of a look come, also when one is under way in its thread."""
    for _ in range(3):
        stage.clock.advance(LOOK)
        for _ in range(3):
            await asyncio.to_thread(int)


async def until(stage: Stage, condition: Callable[[], bool]) -> None:
    """Has the server look until something is so."""
    for _ in range(1_000):
        if condition():
            return
        await look(stage)
    raise AssertionError("it never happened")


@pytest.mark.parametrize("table", ["ledger", "claim", "orders_user", "health"])
def test_a_damaged_page_is_found_by_both_checks(tmp_path: Path, table: str) -> None:
    @story
    async def written() -> None:
        async with once(tmp_path):
            pass

    written()
    assert quick_check(tmp_path / FILE)
    assert thorough_check(tmp_path / FILE, lambda: False)
    damage(tmp_path, table)

    assert not quick_check(tmp_path / FILE)
    assert not thorough_check(tmp_path / FILE, lambda: False)


@story
async def test_a_start_on_a_damaged_file_serves_and_says_so_once_in_the_log_and_by_mail(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, post: tuple[MailServer, str]
) -> None:
    server, url = post
    async with once(tmp_path):
        pass
    damage(tmp_path, "ledger")
    with caplog.at_level(logging.ERROR):
        async with opened(tmp_path, SMTP_URL=url, NOTIFY=OPS) as stage:
            await until(stage, lambda: bool(server.mails))
            for _ in range(3):
                await look(stage)

            assert not stage.home.ready()
            assert stage.home.outages() == (Outage.FILE_DAMAGED,)
    assert outages(caplog) == ["FILE_DAMAGED"]
    assert [(mail.to, mail.subject) for mail in server.mails] == [((OPS,), "Orders-App: The server takes no orders")]
    assert "restore the last backup" in server.mails[0].text


@story
async def test_a_page_that_is_damaged_while_the_server_runs_stops_new_orders_as_soon_as_it_is_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with once(tmp_path):
        pass
    async with opened(tmp_path) as stage:
        assert stage.home.ready()
        damage(tmp_path, "dead_letter")
        for _ in range(3):
            with pytest.raises(StoreUnavailable, match="database file is damaged"):
                stage.dead_letters()
        await until(stage, lambda: not stage.home.ready())

        with pytest.raises(StoreUnavailable, match="database file is damaged"):
            await stage.accept()
        assert outages(caplog) == ["FILE_DAMAGED"]


@pytest.mark.parametrize("other", [None, b"", b"SQLite format 3\x00"])
@story
async def test_a_file_that_was_removed_or_replaced_takes_no_orders(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, other: bytes | None
) -> None:
    async with opened(tmp_path) as stage:
        await look(stage)
        assert stage.home.ready()
        (tmp_path / FILE).rename(tmp_path / "moved.db")
        if other is not None:
            (tmp_path / FILE).write_bytes(other)
        await until(stage, lambda: not stage.home.ready())
        for _ in range(3):
            await look(stage)

        with pytest.raises(StoreUnavailable, match="was removed or replaced"):
            await stage.accept()
        assert stage.home.outages() == (Outage.FILE_REPLACED,)
        assert outages(caplog) == ["FILE_REPLACED"]


@story
async def test_metrics_tell_the_outage_while_the_file_cannot_be_read(tmp_path: Path) -> None:
    async with once(tmp_path):
        pass
    async with opened(tmp_path) as stage:
        damage(tmp_path, "dead_letter")
        assert b"expediter_dead_letters" not in stage.home.metrics()
        await until(stage, lambda: not stage.home.ready())
        told = stage.home.metrics()

    assert b'expediter_outage{outage="FILE_DAMAGED"} 1.0' in told
    assert b'expediter_outage{outage="FILE_LOCKED"} 0.0' in told
    assert b"expediter_orders_accepted_total 0.0" in told


@story
async def test_damage_that_no_read_meets_is_found_within_a_day(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with once(tmp_path):
        pass
    async with opened(tmp_path, clock) as stage:
        damage(tmp_path, "ledger")
        await look(stage)
        assert stage.home.ready()
        stage.clock.advance(CHECK)
        await until(stage, lambda: not stage.home.ready())

        assert stage.home.outages() == (Outage.FILE_DAMAGED,)


@story
async def test_the_whole_file_is_checked_once_a_day_however_often_the_server_starts(tmp_path: Path) -> None:
    clock = VirtualClock()

    def checked(stage: Stage) -> list[tuple[int]]:
        return stage.read("SELECT checked_at FROM health")

    async with opened(tmp_path, clock) as stage:
        await until(stage, lambda: bool(checked(stage)))
        first = checked(stage)
    for _ in range(3):
        async with opened(tmp_path, clock) as stage:
            await look(stage)
            assert checked(stage) == first
    clock.advance(CHECK)
    async with opened(tmp_path, clock) as stage:
        await until(stage, lambda: checked(stage) != first)


@story
async def test_where_nothing_can_be_written_the_server_is_not_ready_until_it_can(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(tmp_path) as stage:
        assert stage.home.ready()
        (tmp_path / "room").mkdir()  # as good as a folder that takes no new file
        await look(stage)
        await until(stage, lambda: not stage.home.ready())
        for _ in range(3):
            await look(stage)
        assert stage.home.outages() == (Outage.FILE_UNWRITABLE,)

        (tmp_path / "room").rmdir()
        await look(stage)
        await until(stage, stage.home.ready)
        assert outages(caplog) == ["FILE_UNWRITABLE", "FILE_UNWRITABLE"]


@story
async def test_while_another_program_has_the_lock_the_server_is_not_ready(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "LOCK_LIMIT", 0.0)
    async with opened(tmp_path) as stage:
        with closing(apsw.Connection(str(tmp_path / FILE))) as somebody:
            somebody.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailable, match="Another program"):
                await stage.accept()
            await asyncio.sleep(0)
            assert not stage.home.ready()
            assert stage.home.outages() == (Outage.FILE_LOCKED,)
            for _ in range(3):
                await look(stage)
            assert not stage.home.ready()
            somebody.execute("ROLLBACK")
        await until(stage, stage.home.ready)
        await stage.accept()
    assert outages(caplog) == ["FILE_LOCKED", "FILE_LOCKED"]


@story
async def test_another_programs_lock_is_noticed_before_an_order_is_refused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "LOCK_LIMIT", 0.0)
    monkeypatch.setattr(health, "NOTE", CHECK)  # nothing else writes meanwhile
    async with opened(tmp_path) as stage:
        for _ in range(3):
            await look(stage)
        with closing(apsw.Connection(str(tmp_path / FILE))) as somebody:
            somebody.set_busy_timeout(1_000)
            somebody.execute("BEGIN IMMEDIATE")
            await until(stage, lambda: not stage.home.ready())
            assert stage.home.outages() == (Outage.FILE_LOCKED,)
            somebody.execute("ROLLBACK")
        await until(stage, stage.home.ready)
    assert outages(caplog) == ["FILE_LOCKED", "FILE_LOCKED"]


def test_a_start_while_another_program_has_the_lock_is_refused_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "LOCK_LIMIT", 0.0)

    @story
    async def begun() -> None:
        async with opened(tmp_path):
            pass

    begun()
    with closing(apsw.Connection(str(tmp_path / FILE))) as somebody:
        somebody.execute("BEGIN IMMEDIATE")
        with pytest.raises(DataRefused, match="Another program has locked"):
            begun()
        somebody.execute("ROLLBACK")
    begun()


def test_a_file_whose_first_page_is_damaged_is_refused_with_what_to_do(tmp_path: Path) -> None:
    @story
    async def begun() -> None:
        async with opened(tmp_path):
            pass

    begun()
    damage(tmp_path, "execution_due")
    damage(tmp_path, "definition")
    with pytest.raises(DataRefused, match="restore the last backup"):
        begun()


@story
async def test_what_the_clock_shows_is_noted_so_that_the_next_start_is_not_before_it(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with opened(tmp_path, clock) as stage:
        await stage.advance(CHECK // 2)
    with closing(open_reader(tmp_path / FILE)) as connection:
        assert seen_at(connection) == clock.now()


@story
async def test_a_server_on_a_machine_whose_clock_was_set_back_begins_where_it_stopped(tmp_path: Path) -> None:
    later = VirtualClock(SystemClock().now() + CHECK)
    async with opened(tmp_path, later):
        pass
    async with open_home(from_environment({"EXPEDITER_DATA": str(tmp_path)})) as home:
        assert home.clock.now() >= later.now()
