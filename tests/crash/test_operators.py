"""What operators do to the workflow, with a server that is killed before or after the commit that holds it."""

import json
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from expediter.embedded.sqlite.database import open_reader
from tests.crash.points import OPERATOR_UNITS, SIDES, Point
from tests.crash.processes import Changed, Outside, Server

ORDER = {"user_id": "u", "quantity": 1, "restaurant_id": "r"}
#: The second state asks for a status that the order cannot have: the workflow fails there.
BROKEN = {
    "StartAt": "Save",
    "States": {
        "Save": {"Type": "Task", "Resource": "InitializeOrder", "ResultPath": None, "Next": "Complete"},
        "Complete": {"Type": "Task", "Resource": "CompleteOrder", "End": True},
    },
}
OTHER = {"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}
#: What each act leaves: the audit's word, and a count that it changes from 0 to 1.
LEAVES = {
    "publishWorkflowVersion": ("published a version", "SELECT count(*) FROM definition WHERE no = 2"),
    "setWorkflowRouting": ("routed new orders", "SELECT count(*) FROM routing"),
    "undoWorkflowRouting": ("took the last routing back", "SELECT count(*) = 0 FROM routing"),
    "redriveOrder": ("retried it", "SELECT history LIKE '%Redriven%' FROM execution"),
}


def act(name: str, url: str, order_id: str) -> None:
    {
        "publishWorkflowVersion": lambda: httpx.post(f"{url}/workflow/versions", json={"definition": OTHER}),
        "setWorkflowRouting": lambda: httpx.put(f"{url}/workflow/routing", json={"percents": {"2": 100}}),
        "undoWorkflowRouting": lambda: httpx.delete(f"{url}/workflow/routing"),
        "redriveOrder": lambda: httpx.post(f"{url}/orders/{order_id}/redrive"),
    }[name]().raise_for_status()


def failed_order(folder: Path, providers: Outside) -> str:
    (folder / "impatient.asl.json").write_text(json.dumps(BROKEN))
    server = Server(folder, providers, Changed(0))
    url = server.serving()
    order_id = str(httpx.post(f"{url}/orders", json=ORDER).headers["Order-Id"])
    while "ExecutionFailed" not in httpx.get(f"{url}/orders/{order_id}/timeline").text:
        pass
    server.kill()
    return order_id


def count(folder: Path, name: str) -> tuple[int, int]:
    """How many times the audit has the act, and whether what it does is there."""
    kind, sql = LEAVES[name]
    with closing(open_reader(folder / "data" / "expediter.db")) as connection:
        audited = connection.execute("SELECT count(*) FROM audit WHERE kind = ?", (kind,)).fetchone()
        there = connection.execute(sql).fetchone()
    assert audited is not None
    assert there is not None
    return int(audited[0]), int(there[0])


def test_an_act_that_a_kill_meets_is_done_with_its_audit_or_not_at_all(tmp_path: Path) -> None:
    """One folder, and one life of the server for each side of each act's commit."""
    providers = Outside(tmp_path, "simulated", "simulated", "")
    order_id = failed_order(tmp_path, providers)
    found = {}
    for point in (Point(name, side) for name in OPERATOR_UNITS for side in SIDES):
        dying = Server(tmp_path, providers, Changed(0), point)
        with pytest.raises(httpx.TransportError):
            act(point.name, dying.serving(), order_id)
        assert dying.reaped() == str(point)
        found[point] = count(tmp_path, point.name)

    assert found == {point: (0, 0) if point.side == "before" else (1, 1) for point in found}
