"""What SQLite leaves in pages that became free is overwritten to the last byte."""

from contextlib import closing
from pathlib import Path

import pytest

from expediter.app.operator import operations
from expediter.embedded.operator.scrub import PAGES, whole_pages
from expediter.embedded.sqlite.database import open_writer
from tests.support.stage import opened, story


@pytest.mark.parametrize("pages", [1, 2, 3, 31, 32, 100, PAGES])
def test_a_fill_covers_its_pages_to_their_last_byte(tmp_path: Path, pages: int) -> None:
    with closing(open_writer(tmp_path / "test.db")) as connection:
        connection.execute("INSERT INTO scrub (zeros) VALUES (zeroblob(?))", (whole_pages(pages, 4096),))
        overflow = connection.execute(
            "SELECT count(*), sum(unused) FROM dbstat WHERE name = 'scrub' AND pagetype = 'overflow'"
        )
        assert overflow.fetchall() == [(pages, 0)]


@story
async def test_every_free_page_is_overwritten_in_small_units_and_is_free_again(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        for _ in range(3):
            await stage.home.write(lambda work: work.queue.send(b"secret " * 100_000, {}, work.now), "send")
        await stage.pass_time(60_000)
        await stage.home.write(operations.purge, "purge")
        ((free,),) = stage.read("PRAGMA freelist_count")
        assert free > PAGES
        await stage.home._scrub.run()

        assert b"secret" not in (tmp_path / "expediter.db").read_bytes()
        assert stage.read("PRAGMA freelist_count")[0][0] >= free
        assert stage.read("SELECT * FROM scrub") == []
