"""A backup made beside a home that writes: whole, of one moment, or not there at all."""

import resource
import stat
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from expediter.embedded.sqlite.backup import STEP, BackupRefused, back_up
from expediter.embedded.sqlite.database import DataRefused, open_reader, open_writer
from tests.support.stage import opened, story


def ignored(_: int, __: int) -> None:
    """Nobody watches."""


def fill(connection: apsw.Connection, pages: int) -> None:
    connection.execute(
        f"INSERT INTO message (body, attributes, sent_at, visible_at) VALUES (zeroblob({pages * 4096}), '', 0, 0)"
    )


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder whose file is too large to be copied in one step."""
    folder = tmp_path / "data"
    folder.mkdir()
    with closing(open_writer(folder / "expediter.db")) as connection:
        fill(connection, 3 * STEP)
    return folder


@story
async def test_an_order_accepted_before_the_backup_is_in_it_and_goes_on_from_there(tmp_path: Path) -> None:
    async with opened(tmp_path / "data") as stage:
        held = await stage.place()
        (tmp_path / "copy").mkdir()
        made = back_up(tmp_path / "data", tmp_path / "copy" / "expediter.db", ignored)
        late = await stage.place()

    assert (made.orders, made.waiting) == (1, 0)
    async with opened(tmp_path / "copy") as stage:
        assert (await stage.to_the_end(held)).status == "SUCCESS"
        assert stage.read("SELECT no FROM claim WHERE id = ?", late) == []


def test_the_copy_is_of_one_moment_however_much_is_written_meanwhile(data: Path, tmp_path: Path) -> None:
    with closing(open_writer(data / "expediter.db")) as connection:
        steps = list[int]()

        def write(done: int, total: int) -> None:
            steps.append(done)
            with connection:
                connection.execute("INSERT INTO claim (id, fingerprint) VALUES (?, '')", (str(done),))
                connection.execute("INSERT INTO minute (at, body) VALUES (?, '')", (done,))

        back_up(data, tmp_path / "copy.db", write)
    assert len(steps) == len(set(steps)) > 3  # no step was made twice: the copy never began anew
    with closing(open_reader_of(tmp_path / "copy.db")) as copy:
        assert copy.execute("SELECT count(*) FROM claim").fetchall() == [(0,)]
        assert copy.execute("SELECT count(*) FROM minute").fetchall() == [(0,)]


def open_reader_of(file: Path) -> apsw.Connection:
    return apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READONLY)


def test_it_is_one_file_that_its_owner_alone_can_read(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    back_up(data, folder / "copy.db", ignored)

    assert [file.name for file in folder.iterdir()] == ["copy.db"]
    assert stat.S_IMODE((folder / "copy.db").stat().st_mode) == 0o600
    with closing(open_reader_of(folder / "copy.db")) as copy:
        assert copy.pragma("journal_mode") == "delete"


def test_a_file_that_exists_is_never_replaced(data: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("precious")
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")

    for taken in (tmp_path / "taken", tmp_path / "nowhere", tmp_path):
        with pytest.raises(BackupRefused, match="exists"):
            back_up(data, taken, ignored)
    assert (tmp_path / "taken").read_text() == "precious"


def test_a_file_that_came_into_being_meanwhile_is_not_replaced_either(data: Path, tmp_path: Path) -> None:
    target = tmp_path / "backups" / "copy.db"
    target.parent.mkdir()

    def write(done: int, total: int) -> None:
        target.write_text("mine")

    with pytest.raises(BackupRefused, match="exists"):
        back_up(data, target, write)

    assert [file.read_text() for file in target.parent.iterdir()] == ["mine"]


def test_a_place_that_cannot_be_written_is_refused(data: Path, tmp_path: Path) -> None:
    with pytest.raises(BackupRefused, match="No such file or directory"):
        back_up(data, tmp_path / "nowhere" / "copy.db", ignored)
    with pytest.raises(DataRefused, match="There is no data"):
        back_up(tmp_path, tmp_path / "copy.db", ignored)


def test_a_full_disk_leaves_nothing_behind(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (STEP * 4096, hard))
    try:
        with pytest.raises(BackupRefused, match="could not be written"):
            back_up(data, folder / "copy.db", ignored)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert list(folder.iterdir()) == []


def test_a_damaged_database_is_found_out_and_no_backup_of_it_is_kept(data: Path, tmp_path: Path) -> None:
    with closing(open_writer(data / "expediter.db")) as connection:
        connection.execute("INSERT INTO claim (id, fingerprint) VALUES ('a', 'b')")
        root: int = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'claim'").get
    with (data / "expediter.db").open("r+b") as file:
        file.seek((root - 1) * 4096 + 8)
        file.write(b"\xff" * 64)

    with pytest.raises(BackupRefused, match="damaged"):
        back_up(data, tmp_path / "copy.db", ignored)
    assert not (tmp_path / "copy.db").exists()


def test_the_log_begins_anew_once_the_copy_is_made(data: Path, tmp_path: Path) -> None:
    with closing(open_writer(data / "expediter.db")) as connection:
        log = data / "expediter.db-wal"

        def write(done: int, total: int) -> None:
            fill(connection, 10)
            connection.wal_checkpoint()

        back_up(data, tmp_path / "copy.db", write)
        grown = log.stat().st_size
        connection.wal_checkpoint()
        fill(connection, 10)

        assert log.stat().st_size == grown
    with closing(open_reader(data / "expediter.db")) as reader:
        assert reader.pragma("integrity_check") == "ok"
