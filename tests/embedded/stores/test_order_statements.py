"""What SQLite does for the statements that every order costs."""

from pathlib import Path
from typing import Any

import apsw

from expediter.embedded.sqlite.session import Statements
from tests.support.stage import opened, story

CLAIMED = Statements("orders")["claimed"]


@story
async def test_no_statement_of_an_order_builds_a_table_of_its_own(tmp_path: Path) -> None:
    ran: dict[str, Any] = {}

    def note(_: apsw.Cursor, sql: str, values: Any) -> bool:
        ran[sql] = values
        return True

    writers: list[apsw.Connection] = []
    apsw.connection_hooks.append(writers.append)
    try:
        async with opened(tmp_path) as stage:
            writers[0].exec_trace = note  # the home opens its writer first
            await stage.accept()
            await stage.quiet()
            writers[0].exec_trace = None
            changing = [sql for sql in ran if "INSERT" in sql or "UPDATE" in sql]
            steps = {sql: [row[1] for row in writers[0].execute(f"EXPLAIN {sql}", ran[sql])] for sql in changing}
    finally:
        apsw.connection_hooks.remove(writers.append)

    assert len(steps) > 3
    assert [sql for sql, found in steps.items() if "OpenEphemeral" in found] == []


@story
async def test_the_file_is_searched_for_a_customers_key_and_not_for_an_id_that_was_made_here(tmp_path: Path) -> None:
    ran: list[str] = []

    def ran_one(_: apsw.Cursor, sql: str, __: object) -> bool:
        ran.append(sql)
        return True

    def note(connection: apsw.Connection) -> None:
        connection.exec_trace = ran_one

    apsw.connection_hooks.append(note)
    try:
        async with opened(tmp_path) as stage:
            ran.clear()
            await stage.accept(stage.home.new_id())
            made_here = ran.count(CLAIMED)
            await stage.accept("0b7c0a1e-6d0c-4d52-9a5b-0d3a6a1f2b3c")
    finally:
        apsw.connection_hooks.remove(note)

    assert (made_here, ran.count(CLAIMED)) == (0, 1)
