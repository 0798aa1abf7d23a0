"""What we write is nobody else's to read: whatever the umask, in a folder that existed before as in one of ours."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from expediter.embedded.sqlite.database import open_reader, open_writer, owned
from expediter.embedded.sqlite.files import make_private


@pytest.fixture(params=[0o000, 0o022, 0o777])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield int(request.param)
    os.umask(before)


def rights(folder: Path) -> dict[str, int]:
    return {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()}


@pytest.mark.usefixtures("umask")
def test_the_file_its_log_and_the_lock_are_its_owners_alone_whatever_the_umask_and_the_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with owned(tmp_path) as file, closing(open_writer(file)) as connection:
        connection.execute("INSERT INTO claim (id, fingerprint) VALUES ('a', 'b')")

        assert rights(tmp_path) == dict.fromkeys(
            ("lock", "expediter.db", "expediter.db-wal", "expediter.db-shm"), 0o600
        )


def test_the_files_of_a_former_version_are_closed_to_others_at_the_start(tmp_path: Path) -> None:
    file = tmp_path / "expediter.db"
    open_writer(file).close()
    log = tmp_path / "expediter.db-wal"
    with closing(sqlite3.connect(file)) as before:
        before.execute("INSERT INTO claim (id, fingerprint) VALUES ('a', 'b')")
        before.commit()
        for path in (file, log, tmp_path / "expediter.db-shm", make_private(tmp_path / "lock")):
            path.chmod(0o666)
        with owned(tmp_path), closing(open_writer(file)):
            assert set(rights(tmp_path).values()) == {0o600}


def test_what_a_reader_makes_beside_the_file_is_private_too(tmp_path: Path) -> None:
    file = tmp_path / "expediter.db"
    open_writer(file).close()
    with closing(open_reader(file)) as connection:
        connection.execute("SELECT count(*) FROM claim").fetchall()

        assert set(rights(tmp_path).values()) == {0o600}


def test_a_file_that_was_open_to_others_keeps_what_it_holds(tmp_path: Path) -> None:
    file = tmp_path / "part"
    file.write_text("what was there")
    file.chmod(0o644)

    assert make_private(file).read_text() == "what was there"
    assert file.stat().st_mode & 0o777 == 0o600
