"""The secret that signs sessions and links: made once, whole or not at all."""

from pathlib import Path

import pytest

from expediter.embedded.sqlite.database import DataRefused
from expediter.embedded.web.console.session import LENGTH, keys_in


def test_the_secret_is_made_once_and_is_nobody_elses_to_read(tmp_path: Path) -> None:
    link = keys_in(tmp_path).link("order")

    assert keys_in(tmp_path).order_id(link.removeprefix("/o/")) == "order"
    assert len((tmp_path / "secret").read_bytes()) == LENGTH
    assert (tmp_path / "secret").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("left", [b"", b"abc"])
def test_what_a_full_disk_left_of_a_secret_is_none(tmp_path: Path, left: bytes) -> None:
    (tmp_path / "secret").write_bytes(left)
    keys_in(tmp_path)

    assert len((tmp_path / "secret").read_bytes()) == LENGTH


def test_a_secret_that_cannot_be_written_is_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "secret.new").mkdir()

    with pytest.raises(DataRefused, match="cannot be written"):
        keys_in(tmp_path)


@pytest.mark.parametrize("rights", [0o602, 0o620, 0o640, 0o604, 0o666])
def test_a_secret_that_others_may_read_or_write_is_refused_with_what_to_do(tmp_path: Path, rights: int) -> None:
    keys_in(tmp_path)
    (tmp_path / "secret").chmod(rights)

    with pytest.raises(DataRefused, match="Remove it and start again"):
        keys_in(tmp_path)
