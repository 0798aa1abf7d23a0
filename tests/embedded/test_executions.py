"""What is looked for among executions is found without a look at those that ended: they are millions in time."""

from contextlib import closing
from pathlib import Path

import pytest

from expediter.embedded.database import Statements, open_writer

SQL = Statements("workflows")


@pytest.mark.parametrize("name", ["due", "next_due", "busy", "running", "live_definitions"])
def test_what_is_under_way_is_found_along_the_index_of_what_is_under_way(name: str) -> None:
    with closing(open_writer(Path(":memory:"))) as connection:
        values = dict.fromkeys(map(str, range(1, 10)), 1)
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {SQL[name]}", values)]

    reads = [step for step in plan if "execution" in step]
    assert reads
    assert all("execution_due" in step for step in reads)
