"""What SQLite does for the statements that every order costs."""

from pathlib import Path
from typing import Any

import apsw

from tests.support.stage import opened, story


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
