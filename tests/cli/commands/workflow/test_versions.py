"""``expediter workflow versions``, ``publish``, ``route`` and ``redrive`` against a real server."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run, Server, Start

BROKEN = {
    "StartAt": "Save",
    "States": {
        "Save": {"Type": "Task", "Resource": "InitializeOrder", "ResultPath": None, "Next": "Complete"},
        "Complete": {"Type": "Task", "Resource": "CompleteOrder", "End": True},
    },
}


def test_a_version_is_published_gets_a_tenth_of_new_orders_and_loses_it_with_one_command(
    server: Server, typed: Run, tmp_path: Path
) -> None:
    file = tmp_path / "other.asl.json"
    file.write_text(json.dumps(BROKEN))
    published = typed("workflow", "publish", str(file), server=server)
    routed = typed("workflow", "route", "1=90", "2=10", "--json", server=server)
    back = typed("workflow", "route", "--back", "--json", server=server)
    listed = typed("workflow", "versions", server=server)

    assert published.out == "Version 2. New orders start on it with: expediter workflow route 2\n"
    assert [(one["version"], one["percent"]) for one in routed.json["items"]] == [(1, 90), (2, 10)]
    assert [(one["version"], one["percent"]) for one in back.json["items"]] == [(1, 100), (2, 0)]
    assert listed.out.split("\n")[0].split() == "Version Hash First used Orders under way New orders".split()
    assert "100 %" in listed.out
    refused = typed("workflow", "route", "--back", server=server)
    assert (refused.code, refused.err.startswith("expediter: NotRouted: ")) == (1, True)


@pytest.mark.parametrize("given", [[], ["1", "--back"], ["x"], ["1=a"], ["1=50", "1=50"]])
def test_what_names_no_routing_is_refused_before_anybody_is_asked(typed: Run, given: list[str]) -> None:
    assert typed("workflow", "route", *given, "--url", "http://127.0.0.1:9").code == 2


def test_a_failed_order_is_redriven_and_the_audit_names_the_command_line(
    started: Start, typed: Run, tmp_path: Path
) -> None:
    file = tmp_path / "broken.asl.json"
    file.write_text(json.dumps(BROKEN))
    server = started(WORKFLOW=str(file))
    order_id = server.accept()
    while (done := typed("workflow", "redrive", order_id, server=server)).code:
        assert "NotRetryable" in done.err

    assert done.out == f"{order_id} goes on at Complete.\n"
    (entry,) = typed("audit", "--json", server=server).json["items"][:1]
    assert (entry["kind"], entry["via"], entry["detail"]) == ("retried it", "CLI", "from Complete")
