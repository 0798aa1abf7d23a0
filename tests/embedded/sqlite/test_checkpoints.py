"""The log is moved into the file beside the writer; what goes wrong with that holds nobody up."""

import logging
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import apsw
import pytest

from expediter.embedded.sqlite.checkpoints import BESIDE, FEW, LONG, MOST, Checkpoints, late
from expediter.embedded.sqlite.database import open_writer
from tests.support.stage import story


@asynccontextmanager
async def filled_log(file: Path) -> AsyncIterator[tuple[Checkpoints, apsw.Connection]]:
    """A file whose log holds more than the file itself."""
    with closing(open_writer(file)) as connection:
        checkpoints = Checkpoints(connection, file)
        connection.execute("CREATE TABLE line (value)")
        connection.execute("INSERT INTO line VALUES (zeroblob(1000000))")
        try:
            yield checkpoints, connection
        finally:
            await checkpoints.close()


@story
async def test_a_long_log_is_moved_into_the_file(tmp_path: Path) -> None:
    file = tmp_path / "test.db"
    async with filled_log(file) as (checkpoints, _):
        before = file.stat().st_size
        checkpoints._pages = MOST
        await checkpoints.between_batches()

        assert file.stat().st_size > before + 1_000_000


@story
async def test_a_short_log_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "test.db"
    async with filled_log(file) as (checkpoints, _):
        before = file.stat().st_size
        checkpoints._pages = BESIDE - 1
        await checkpoints.between_batches()
        assert checkpoints._running is None

        assert file.stat().st_size == before


@story
async def test_what_was_moved_is_not_moved_again_until_as_much_has_come(tmp_path: Path) -> None:
    file = tmp_path / "test.db"
    async with filled_log(file) as (checkpoints, _):
        checkpoints._pages, checkpoints._moved = 2 * BESIDE - 1, BESIDE
        await checkpoints.between_batches()
        assert checkpoints._running is None

        checkpoints._pages = 2 * BESIDE
        await checkpoints.between_batches()
        assert checkpoints._running is not None


@story
async def test_a_log_that_started_again_is_moved_from_its_beginning(tmp_path: Path) -> None:
    file = tmp_path / "test.db"
    async with filled_log(file) as (checkpoints, _):
        checkpoints._pages, checkpoints._moved = BESIDE, LONG
        await checkpoints.between_batches()

        assert checkpoints._running is not None


@pytest.mark.parametrize(
    ("pages", "moved", "waits"),
    [
        (LONG - 1, LONG - 1, False),
        (LONG, LONG - FEW, True),
        (LONG, LONG - FEW - 1, False),
        (3 * LONG, BESIDE, False),
        (3 * LONG, 3 * LONG - FEW, True),
        (MOST, 0, True),
    ],
)
def test_the_writer_waits_for_a_short_rest_of_a_long_log_and_for_an_endless_one(
    pages: int, moved: int, waits: bool
) -> None:
    assert late(pages, moved) == waits


@story
async def test_a_log_that_grew_while_somebody_read_is_cut_when_it_begins_anew(tmp_path: Path) -> None:
    file = tmp_path / "test.db"
    async with filled_log(file) as (checkpoints, connection):
        connection.pragma("journal_size_limit", 100_000)
        with closing(apsw.Connection(str(file))) as reader, reader:
            reader.execute("SELECT count(*) FROM line").fetchall()
            connection.execute("INSERT INTO line VALUES (zeroblob(1000000))")
            checkpoints._pages = MOST
            await checkpoints.between_batches()
        checkpoints._pages = MOST
        await checkpoints.between_batches()
        log = tmp_path / "test.db-wal"
        assert log.stat().st_size > 1_000_000
        connection.execute("INSERT INTO line VALUES (zeroblob(10))")

        assert log.stat().st_size <= 100_000


@story
async def test_a_full_disk_leaves_everything_in_the_log_and_is_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "test.db"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    async with filled_log(file) as (checkpoints, connection):
        checkpoints._pages = MOST
        resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size, hard))
        try:
            with caplog.at_level(logging.WARNING):
                await checkpoints.between_batches()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert "could not be moved" in caplog.text
        assert connection.execute("SELECT length(value) FROM line").fetchall() == [(1_000_000,)]

        checkpoints._pages = MOST
        await checkpoints.between_batches()

        assert file.stat().st_size > 1_000_000
        assert connection.pragma("integrity_check") == "ok"
