"""The secret that signs links: made once, whole or not at all. What a link opens, and for how long."""

from pathlib import Path

import jwt
import pytest

from expediter.embedded.sqlite.database import DataRefused
from expediter.embedded.web.customer_links import LENGTH, CustomerLink, CustomerLinks, links_in
from tests.support.clock import NOON
from tests.support.stage import DAY


def test_the_secret_is_made_once_and_is_nobody_elses_to_read(tmp_path: Path) -> None:
    link = links_in(tmp_path, 30).link("order", 0, NOON)

    assert links_in(tmp_path, 30).opened(link.removeprefix("/o/"), NOON) == CustomerLink("order", 0)
    assert len((tmp_path / "secret").read_bytes()) == LENGTH
    assert (tmp_path / "secret").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("left", [b"", b"abc"])
def test_an_empty_secret_that_a_full_disk_left_is_replaced(tmp_path: Path, left: bytes) -> None:
    (tmp_path / "secret").write_bytes(left)
    links_in(tmp_path, 30)

    assert len((tmp_path / "secret").read_bytes()) == LENGTH


def test_a_secret_that_cannot_be_written_is_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "secret.new").mkdir()

    with pytest.raises(DataRefused, match="cannot be written"):
        links_in(tmp_path, 30)


@pytest.mark.parametrize("rights", [0o602, 0o620, 0o640, 0o604, 0o666])
def test_a_secret_that_others_may_read_or_write_is_refused_with_what_to_do(tmp_path: Path, rights: int) -> None:
    links_in(tmp_path, 30)
    (tmp_path / "secret").chmod(rights)

    with pytest.raises(DataRefused, match="Remove it and start again"):
        links_in(tmp_path, 30)


def opened(link: str, now: int, days: int = 30) -> CustomerLink | None:
    return CustomerLinks(b"s" * LENGTH, days).opened(link.removeprefix("/o/"), now)


def test_a_link_opens_its_order_for_thirty_days_by_a_clock_of_ours() -> None:
    link = CustomerLinks(b"s" * LENGTH, 30).link("order", 3, NOON)

    assert opened(link, NOON + 30 * DAY - 1_000) == CustomerLink("order", 3)
    assert opened(link, NOON + 30 * DAY) is None


def test_a_link_without_an_end_or_a_generation_opens_nothing() -> None:
    """Such were made by former versions."""
    for claims in ({"aud": "order", "sub": "order"}, {"aud": "order", "sub": "order", "exp": 2**40}, {"aud": "x"}):
        assert opened(jwt.encode(claims, b"s" * LENGTH, algorithm="HS256"), NOON) is None
