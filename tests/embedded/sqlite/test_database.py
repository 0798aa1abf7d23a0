"""The one file: whose it is, how it is opened, who may have it."""

from contextlib import closing
from pathlib import Path

import apsw
import pytest

from expediter.domain.errors import StoreUnavailable
from expediter.embedded.sqlite.database import DataRefused, open_reader, open_writer, owned
from expediter.embedded.sqlite.session import Session, Statements, each, one


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "expediter.db"


def test_a_commit_returns_after_the_fsync_that_holds_it(file: Path) -> None:
    with closing(open_writer(file)) as connection:
        assert connection.pragma("journal_mode") == "wal"
        assert connection.pragma("synchronous") == 2  # FULL
        assert connection.pragma("wal_autocheckpoint") == 0
        assert connection.pragma("journal_size_limit") == 128 * 2**20


def test_what_was_written_is_there_when_the_file_is_opened_again(file: Path) -> None:
    with closing(open_writer(file)) as connection:
        connection.execute("INSERT INTO claim (id, fingerprint) VALUES ('a', 'b')")
    with closing(open_writer(file)) as connection:
        assert connection.execute("SELECT id FROM claim").fetchall() == [("a",)]


def test_every_table_is_strict(file: Path) -> None:
    with closing(open_writer(file)) as connection:
        tables = connection.execute("SELECT name, strict FROM pragma_table_list WHERE schema = 'main'").fetchall()

    assert {name for name, strict in tables if not strict} <= {"sqlite_schema", "sqlite_sequence"}


def test_a_file_of_newer_code_is_refused(file: Path) -> None:
    with closing(open_writer(file)) as connection:
        connection.pragma("user_version", 99)

    for opening in (open_writer, open_reader):
        with pytest.raises(DataRefused, match="newer"):
            opening(file)


def test_a_database_of_another_program_is_refused_and_not_changed(file: Path) -> None:
    with closing(apsw.Connection(str(file))) as connection:
        connection.execute("CREATE TABLE photos (name)")
    before = file.read_bytes()

    for opening in (open_writer, open_reader):
        with pytest.raises(DataRefused, match="not a database of Expediter"):
            opening(file)
    assert file.read_bytes() == before


def test_a_file_that_is_no_database_is_refused_and_not_changed(file: Path) -> None:
    file.write_bytes(b"Dear diary. " * 100)

    for opening in (open_writer, open_reader):
        with pytest.raises(DataRefused, match="not a database of Expediter"):
            opening(file)
    assert file.read_bytes() == b"Dear diary. " * 100


def test_reading_where_nothing_was_written_says_how_to_begin(file: Path) -> None:
    with pytest.raises(DataRefused, match="expediter serve"):
        open_reader(file)


def test_a_reader_cannot_write(file: Path) -> None:
    open_writer(file).close()
    with closing(open_reader(file)) as connection, pytest.raises(apsw.ReadOnlyError):
        connection.execute("DELETE FROM claim")


def test_a_folder_in_use_is_refused_to_a_second_process_until_it_is_free(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    with owned(folder), pytest.raises(DataRefused, match="Another server"), owned(folder):
        pass
    with owned(folder) as file:
        assert file.parent == folder


def test_a_folder_that_cannot_be_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")

    for folder in (tmp_path / "taken", tmp_path / "taken" / "below"):
        with pytest.raises(DataRefused, match="cannot be used"), owned(folder):
            pass


def test_the_folder_is_nobody_elses_to_read(tmp_path: Path) -> None:
    with owned(tmp_path / "data"):
        assert (tmp_path / "data").stat().st_mode & 0o077 == 0


def test_whatever_sqlite_cannot_do_is_told_as_store_unavailable(file: Path) -> None:
    with closing(open_writer(file)) as connection:
        session = Session(connection)
        for wrong in (session.rows, session.row, lambda sql: list(each(session, sql))):
            with pytest.raises(StoreUnavailable):
                wrong("SELECT nonsense")
        with pytest.raises(StoreUnavailable):
            one(session, "SELECT 1 FROM claim")


@pytest.mark.parametrize("name", ["mail", "orders", "queue", "workflows"])
def test_every_named_statement_is_one_that_sqlite_takes(file: Path, name: str) -> None:
    statements = Statements(name)
    with closing(open_writer(file)) as connection:
        for statement in statements._texts.values():
            assert connection.execute(f"EXPLAIN {statement}", dict.fromkeys(map(str, range(1, 10)))).fetchall()


def test_a_statement_keeps_its_plan_whatever_is_bound_to_it(tmp_path: Path) -> None:
    file = tmp_path / "expediter.db"
    with closing(open_writer(file)) as writing, closing(open_reader(file)) as reading:
        for connection in (writing, reading):
            assert connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, -1) == 1


def test_a_statement_is_one_line_and_its_comments_stay_in_the_file() -> None:
    change = Statements("orders")["change"]

    assert change.startswith("UPDATE orders SET status = ?2, ")
    assert "\n" not in change
    assert "\n" not in Statements("workflows")["live_definitions"]
