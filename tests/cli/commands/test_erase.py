"""``expediter erase`` against a real server, and what is left of the customer on its disk."""

import sqlite3
from contextlib import closing

import pytest

from expediter.app.operator.erasing import BULK
from tests.cli.conftest import Run, Server, Start

ADA = {"user_id": "ada-lovelace", "quantity": 1, "restaurant_id": "r", "email": "ada@lovelace.example", "name": "Ada's"}


def wait_for(server: Server, count: int) -> None:
    """Until so many workflows have ended."""
    with closing(sqlite3.connect(server.data / "expediter.db")) as connection:
        sql = "SELECT count(*) FROM execution WHERE status = 'SUCCEEDED'"
        while connection.execute(sql).fetchone() != (count,):
            pass


@pytest.mark.heavy
def test_a_customer_with_many_orders_is_gone_from_the_disk_of_a_server_that_goes_on(started: Start, typed: Run) -> None:
    server = started(HOLD_SECONDS="0", NOTIFY="ops@example.com")
    for _ in range(BULK + 1):
        server.accept(ADA)
    server.accept({"user_id": "bob", "quantity": 1, "restaurant_id": "r"})
    wait_for(server, BULK + 2)
    shown = typed("erase", "--user", "ada-lovelace", "--json", server=server)

    assert shown.json == {"orders": BULK + 1, "dead_letters": 0}
    files = b"".join(file.read_bytes() for file in server.data.glob("expediter.db*"))
    assert [text for text in (b"ada-lovelace", b"ada@lovelace.example", b"Ada's") if text in files] == []
    assert b"bob" in files
    assert typed("reconcile", server=server).code == 0
    assert "Erased from 0 orders" in typed("erase", "--user", "ada-lovelace", server=server).out


def test_what_was_erased_is_told_in_words(started: Start, typed: Run) -> None:
    server = started(HOLD_SECONDS="0")
    server.accept(ADA)
    wait_for(server, 1)
    told = typed("erase", "--user", "ada-lovelace", server=server).out
    assert told == "Erased from 1 order; 0 dead letters removed.\n"


def test_orders_under_way_are_named_and_exit_with_1(server: Server, typed: Run) -> None:
    order_id = server.accept(ADA)
    refused = typed("erase", "--user", "ada-lovelace", server=server)

    assert refused.code == 1
    assert refused.err.startswith("expediter: OrdersUnderWay: ")
    assert order_id in refused.err
