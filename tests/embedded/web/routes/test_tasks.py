"""The operations on /tasks/{token}: what is sent, and what is answered."""

import asyncio
import json
from pathlib import Path

import pytest

from tests.embedded.web.conftest import PLAIN, Opened, Served

pytestmark = pytest.mark.anyio

WAITING = {
    "StartAt": "Save",
    "States": {
        "Save": {"Type": "Task", "Resource": "InitializeOrder", "ResultPath": None, "Next": "Ask"},
        "Ask": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
            "HeartbeatSeconds": 3600,
            "Parameters": {
                "FunctionName": "InitializeOrder",
                "Payload": {"order.$": "$.order", "task_token.$": "$$.Task.Token"},
            },
            "Catch": [{"ErrorEquals": ["Closed"], "ResultPath": "$.error", "Next": "Done"}],
            "End": True,
        },
        "Done": {"Type": "Succeed"},
    },
}


@pytest.fixture
def mine(tmp_path: Path) -> str:
    file = tmp_path / "mine.asl.json"
    file.write_text(json.dumps(WAITING))
    return str(file)


async def waiting(served: Served, **headers: str) -> tuple[str, str]:
    """An order that waits for its token: the path of its timeline, and the path of its task."""
    accepted = await served.client.post("/orders", json=PLAIN, headers=headers)
    timeline = f"{accepted.headers['Location']}/timeline"
    while True:
        await asyncio.sleep(0)  # the client, which is in this process, lets nobody else have a turn
        told = (await served.client.get(timeline, headers=headers)).json()["events"]
        for event in told:
            if event["type"] == "TaskScheduled":
                return timeline, f"/tasks/{event['details']['parameters']['Payload']['task_token']}"


async def last(served: Served, timeline: str) -> tuple[str, object]:
    event = (await served.client.get(timeline)).json()["events"][-1]
    return event["type"], event["details"].get("output")


@pytest.mark.parametrize("output", [{"status": "ok"}, None, "ready", [1, 2.5, {"ä": False}]])
async def test_a_success_is_answered_once_the_workflow_went_on(opened: Opened, mine: str, output: object) -> None:
    async with opened(WORKFLOW=mine) as served:
        timeline, task = await waiting(served)

        body, kind = json.dumps(output), {"Content-Type": "application/json; charset=utf-8"}
        answer = await served.client.post(f"{task}/success", content=body, headers=kind)

        assert (answer.status_code, answer.content) == (204, b"")
        assert await last(served, timeline) == ("ExecutionSucceeded", output)


@pytest.mark.parametrize(
    ("body", "ends"),
    [
        ({"error": "Closed", "cause": "Monday"}, "ExecutionSucceeded"),
        ({"error": "Burnt"}, "ExecutionFailed"),
        ({}, "ExecutionFailed"),
    ],
)
async def test_a_failure_goes_where_catch_says(opened: Opened, mine: str, body: object, ends: str) -> None:
    async with opened(WORKFLOW=mine) as served:
        timeline, task = await waiting(served)

        assert (await served.client.post(f"{task}/failure", json=body)).status_code == 204

        assert (await last(served, timeline))[0] == ends


async def test_a_heartbeat_needs_no_body_and_ends_nothing(opened: Opened, mine: str) -> None:
    async with opened(WORKFLOW=mine) as served:
        timeline, task = await waiting(served)
        assert (await served.client.post(f"{task}/heartbeat")).status_code == 204
        assert (await last(served, timeline))[0] != "ExecutionSucceeded"
        assert (await served.client.post(f"{task}/success", json=1)).status_code == 204


@pytest.mark.parametrize("report", ["success", "failure", "heartbeat"])
async def test_a_token_that_nothing_waits_for_is_a_problem_that_says_where_to_look(
    opened: Opened, mine: str, report: str
) -> None:
    async with opened(WORKFLOW=mine) as served:
        _, task = await waiting(served)
        await served.client.post(f"{task}/success", json={})

        for path in (task, "/tasks/never-given"):
            answer = await served.client.post(f"{path}/{report}", json={})
            assert (answer.status_code, answer.json()["error"]) == (404, "TaskTokenUnknown")
            assert "timeline" in answer.json()["detail"]


JSON, TEXT = "application/json", "text/plain"


@pytest.mark.parametrize(
    ("path", "content", "status"),
    [
        (("success", JSON), b"{", 400),
        (("success", JSON), b"", 400),
        (("success", TEXT), b"{}", 415),
        (("failure", JSON), b"[]", 400),
        (("failure", JSON), b'{"error": 5}', 400),
        (("failure", JSON), b'{"reason": "x"}', 400),
        (("failure", TEXT), b"{}", 415),
    ],
)
async def test_what_is_no_report_leaves_the_token_good(
    opened: Opened, mine: str, path: tuple[str, str], content: bytes, status: int
) -> None:
    report, kind = path
    async with opened(WORKFLOW=mine) as served:
        _, task = await waiting(served)

        answer = await served.client.post(f"{task}/{report}", content=content, headers={"Content-Type": kind})

        assert answer.status_code == status
        assert (await served.client.post(f"{task}/success", json={})).status_code == 204


async def test_who_has_a_task_s_token_needs_no_operator_s_token(opened: Opened, mine: str) -> None:
    async with opened(WORKFLOW=mine, TOKEN="secret") as served:
        _, task = await waiting(served, Authorization="Bearer secret")

        assert (await served.client.post(f"{task}/success", json={})).status_code == 204
        assert (await served.client.get("/orders")).status_code == 401


async def test_a_page_from_elsewhere_cannot_use_a_token(opened: Opened, mine: str) -> None:
    async with opened(WORKFLOW=mine) as served:
        _, task = await waiting(served)

        answer = await served.client.post(f"{task}/success", json={}, headers={"Origin": "http://evil.example"})

        assert answer.status_code == 403
