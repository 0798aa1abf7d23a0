"""A server says where it answers: in its data folder, and in its user's list."""

import os
from pathlib import Path

from expediter.embedded.running import NOTE, Running, announced, running_of_user, running_on

#: No process has this number: it is above every system's largest.
NOBODY = 2**30


def user(folder: Path) -> dict[str, str]:
    return {"XDG_STATE_HOME": str(folder / "state")}


def server(folder: Path, name: str = "data", pid: int | None = None) -> Running:
    data = folder / name
    data.mkdir(exist_ok=True)
    return Running(os.getpid() if pid is None else pid, "http://127.0.0.1:9000", str(data))


def test_a_server_is_found_by_its_data_folder_and_by_its_user_as_long_as_it_runs(tmp_path: Path) -> None:
    one, two = server(tmp_path, "one"), server(tmp_path, "two")
    with announced(one, user(tmp_path)), announced(two, user(tmp_path)):
        assert running_on(Path(one.data)) == one
        assert sorted(it.data for it in running_of_user(user(tmp_path))) == [one.data, two.data]
    assert running_on(Path(one.data)) is None
    assert running_of_user(user(tmp_path)) == []


def test_the_note_of_a_server_that_was_killed_is_not_believed_and_taken_from_the_list(tmp_path: Path) -> None:
    killed = server(tmp_path, pid=NOBODY)
    with announced(killed, user(tmp_path)):
        assert running_on(Path(killed.data)) is None
        assert running_of_user(user(tmp_path)) == []
        assert list((tmp_path / "state" / "expediter" / "servers").iterdir()) == []


def test_what_is_no_note_is_not_read_as_one(tmp_path: Path) -> None:
    data = Path(server(tmp_path).data)
    for text in (b"", b"[]", b'{"pid": 1}', b"\xff", b'{"pid": 99999999999999999999, "url": "u", "data": "d"}'):
        (data / NOTE).write_bytes(text)
        assert running_on(data) is None


def test_the_note_is_its_owners_alone(tmp_path: Path) -> None:
    with announced(server(tmp_path), user(tmp_path)):
        assert (tmp_path / "data" / NOTE).stat().st_mode & 0o777 == 0o600


def test_a_server_runs_also_where_its_user_has_no_place_for_a_list(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with announced(server(tmp_path), user(tmp_path)):
        assert running_on(tmp_path / "data") is not None
    assert running_of_user(user(tmp_path)) == []
