"""Versions, routing and redrives over REST: what is answered, and what is refused."""

import json
from typing import Any

import pytest

from expediter.embedded.settings import workflow
from tests.embedded.web.conftest import Opened, Served

pytestmark = pytest.mark.anyio

ORDER = {"user_id": "u", "quantity": 1, "restaurant_id": "r"}
#: The second state asks for a status that the order cannot have: the workflow fails there.
BROKEN = {
    "StartAt": "Save",
    "States": {
        "Save": {"Type": "Task", "Resource": "InitializeOrder", "ResultPath": None, "Next": "Complete"},
        "Complete": {"Type": "Task", "Resource": "CompleteOrder", "End": True},
    },
}

DEEP = b'{"definition": ' + b'{"a": ' * 9999


async def failed(served: Served) -> str:
    order_id = (await served.client.post("/orders", json=ORDER)).headers["Order-Id"]
    while "ExecutionFailed" not in await kinds(served, order_id):
        await served.home.write(lambda _: None, "look")
    return str(order_id)


async def kinds(served: Served, order_id: str) -> list[str]:
    timeline = (await served.client.get(f"/orders/{order_id}/timeline")).json()
    return [event["type"] for event in timeline["events"]]


async def test_a_version_is_published_routed_and_taken_back(opened: Opened) -> None:
    async with opened() as served:
        client = served.client
        made = await client.post("/workflow/versions", json={"definition": BROKEN})
        both = await client.put("/workflow/routing", json={"percents": {"1": 90, "2": 10}})
        shown = (await client.get("/workflow/versions/2")).json()
        back = await client.delete("/workflow/routing")
        again = await client.delete("/workflow/routing")
        same = await client.post("/workflow/versions", json={"definition": workflow(None)})

    assert (made.status_code, made.json()["version"], made.json()["percent"]) == (200, 2, 0)
    assert [(one["version"], one["percent"]) for one in both.json()["items"]] == [(1, 90), (2, 10)]
    assert (shown["definition"], shown["percent"], shown["orders"]) == (BROKEN, 10, 0)
    assert [(one["version"], one["percent"]) for one in back.json()["items"]] == [(1, 100), (2, 0)]
    assert (again.status_code, again.json()["error"]) == (409, "NotRouted")
    assert same.json()["version"] == 1


async def test_the_orders_under_way_are_counted_by_state(opened: Opened) -> None:
    async with opened() as served:
        order_id = (await served.client.post("/orders", json=ORDER)).headers["Order-Id"]
        while "WaitStateEntered" not in await kinds(served, order_id):
            await served.home.write(lambda _: None, "look")
        counted = await served.client.get("/workflow/versions/1/states")

    assert counted.json() == {"states": {"Hold": 1}, "cursor": None}


async def test_a_failed_order_goes_on_where_it_failed_and_the_audit_says_who(opened: Opened, tmp_path: Any) -> None:
    file = tmp_path / "broken.asl.json"
    file.write_text(json.dumps(BROKEN))
    async with opened(WORKFLOW=str(file)) as served:
        order_id = await failed(served)
        path = f"/orders/{order_id}/redrive"
        answer = await served.client.post(path, headers={"Expediter-Operator": "ada"})
        entries = served.home.read_as_operator(lambda services: services.audit.of(order_id))
        happened = await kinds(served, order_id)

    assert (answer.status_code, answer.json()) == (200, {"state": "Complete"})
    assert happened.count("ExecutionRedriven") == 1
    assert [(entry.who, entry.kind, entry.detail, entry.via) for entry in entries] == [
        ("ada", "retried it", "from Complete", "REST")
    ]


async def test_only_what_failed_can_be_set_going_again(opened: Opened) -> None:
    async with opened() as served:
        order_id = (await served.client.post("/orders", json=ORDER)).headers["Order-Id"]
        running = await served.client.post(f"/orders/{order_id}/redrive")
        missing = await served.client.post("/orders/01890a5d-ac96-774b-bcce-b302099a8057/redrive")

    assert (running.status_code, running.json()["error"]) == (409, "NotRetryable")
    assert missing.status_code == 404


@pytest.mark.parametrize(
    ("percents", "path"),
    [
        ({}, "percents"),
        ({"1": 50}, "percents"),
        ({"1": 50, "2": 51}, "percents"),
        ({"1": 98, "2": 1, "3": 1}, "percents"),
        ({"1": 90, "7": 10}, "percents.7"),
        ({"1": 0, "2": 100}, None),
        ({"one": 100}, None),
        ({"1": "100"}, None),
        ([1], None),
    ],
)
async def test_a_routing_that_is_none_is_refused(opened: Opened, percents: Any, path: str | None) -> None:
    async with opened() as served:
        await served.client.post("/workflow/versions", json={"definition": BROKEN})
        answer = await served.client.put("/workflow/routing", json={"percents": percents})

    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("New orders cannot be routed so: ")
    assert path is None or path in [fault["path"] for fault in answer.json()["errors"]]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"{}", 422),
        (b'{"definition": 5}', 422),
        (b'{"definition": {}}', 422),
        (DEEP, 400),
    ],
)
async def test_a_definition_that_is_none_is_refused(opened: Opened, body: bytes, status: int) -> None:
    async with opened() as served:
        answer = await served.client.post(
            "/workflow/versions", content=body, headers={"Content-Type": "application/json"}
        )
        form = await served.client.post("/workflow/versions", content=body, headers={"Content-Type": "text/plain"})

    assert (answer.status_code, form.status_code) == (status, 415)


@pytest.mark.parametrize("version", ["0", "9", "-1", "x", "1" * 30, "²"])
async def test_a_version_that_there_is_not_is_not_found(opened: Opened, version: str) -> None:
    async with opened() as served:
        shown = await served.client.get(f"/workflow/versions/{version}")
        counted = await served.client.get(f"/workflow/versions/{version}/states")
        wrong = await served.client.get("/workflow/versions/1/states?cursor=x")

    assert (shown.status_code, counted.status_code, wrong.status_code) == (404, 404, 422)
