"""What is looked for among executions is found without a look at those that ended: they are millions in time.

And what is written of them is text.
"""

from contextlib import closing
from pathlib import Path

import pytest

from expediter.embedded.sqlite.session import Statements
from tests.support.database import in_memory
from tests.support.stage import opened, story

SQL = Statements("workflows")


@pytest.mark.parametrize("name", ["due", "next_due", "busy", "running", "live_definitions"])
def test_what_is_under_way_is_found_along_the_index_of_what_is_under_way(name: str) -> None:
    with closing(in_memory()) as connection:
        values = dict.fromkeys(map(str, range(1, 10)), 1)
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {SQL[name]}", values)]

    reads = [step for step in plan if "execution" in step]
    assert reads
    assert all("execution_due" in step for step in reads)


@pytest.mark.parametrize("hold", ["0", "30"])
@story
async def test_what_is_written_as_json_is_text_that_any_sqlite_reads(tmp_path: Path, hold: str) -> None:
    async with opened(tmp_path, HOLD_SECONDS=hold) as stage:
        order_id = await stage.place(name="Käse 🍔")
        await stage.pass_time(60_000)

        assert stage.status(order_id) == "SUCCESS"
        assert stage.read("SELECT typeof(body), body ->> 'name' FROM orders") == [("text", "Käse 🍔")]
        assert stage.read("SELECT typeof(state), typeof(history), instr(history, 'Käse 🍔') > 0 FROM execution") == [
            ("text", "text", 1)
        ]
