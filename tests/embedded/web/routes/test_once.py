"""Idempotency-Key at operations of operators: the same request under it is done once and answered as the first."""

from typing import Any

import httpx
import pytest

from expediter.app.operator.repeats import REMEMBERED
from expediter.embedded.clock import new_id
from tests.embedded.web.conftest import Opened, Served
from tests.support.clock import VirtualClock

pytestmark = pytest.mark.anyio

TILL = {"name": "till", "scopes": ["orders:read"]}


async def add(served: Served, key: str, body: Any = TILL) -> httpx.Response:
    return await served.client.post("/keys", json=body, headers={"Idempotency-Key": key})


async def names(served: Served) -> list[str]:
    return [key["name"] for key in (await served.client.get("/keys")).json()["items"]]


async def test_a_key_is_made_once_and_its_secret_is_not_told_again(opened: Opened) -> None:
    async with opened() as served:
        key = new_id()
        first, second = await add(served, key), await add(served, key.upper())
        made = await names(served)

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["key"] == second.json()["key"]
    assert first.json()["secret"].startswith(first.json()["key"]["id"])
    assert second.json()["secret"] is None
    assert ("idempotent-replayed" in first.headers, second.headers["Idempotent-Replayed"]) == (False, "true")
    assert made == ["till"]


async def test_the_secret_is_not_in_the_file(opened: Opened) -> None:
    async with opened() as served:
        secret = (await add(served, new_id())).json()["secret"]
        written = b"".join(file.read_bytes() for file in served.home.settings.data.glob("expediter.db*"))

    assert secret.encode() not in written
    assert b"till" in written


async def test_another_request_under_the_key_is_refused(opened: Opened) -> None:
    async with opened() as served:
        key = new_id()
        await add(served, key)
        other = await add(served, key, {**TILL, "name": "another"})
        elsewhere = await served.client.delete("/workflow/routing", headers={"Idempotency-Key": key})
        made = await names(served)

    assert [(answer.status_code, answer.json()["error"]) for answer in (other, elsewhere)] == [
        (422, "IdempotencyKeyReused")
    ] * 2
    assert made == ["till"]


async def test_without_a_key_and_with_an_empty_one_each_request_is_another(opened: Opened) -> None:
    async with opened() as served:
        for _ in range(2):
            await served.client.post("/keys", json=TILL)
            await add(served, "")
        no_uuid = await add(served, "17")
        made = await names(served)

    assert (made, no_uuid.status_code) == (["till"] * 4, 422)


async def test_a_request_that_failed_leaves_its_key_free(opened: Opened) -> None:
    async with opened() as served:
        headers = {"Idempotency-Key": new_id()}
        nothing = await served.client.delete("/workflow/routing", headers=headers)
        await served.client.post(
            "/workflow/versions", json={"definition": {"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}}
        )
        await served.client.put("/workflow/routing", json={"percents": {"2": 100}})
        done = await served.client.delete("/workflow/routing", headers=headers)
        again = await served.client.delete("/workflow/routing", headers=headers)

    assert [answer.status_code for answer in (nothing, done, again)] == [409, 200, 200]
    assert (done.json(), again.headers["Idempotent-Replayed"]) == (again.json(), "true")


async def test_a_key_is_remembered_for_a_week(opened: Opened) -> None:
    clock = VirtualClock()
    async with opened(clock) as served:
        key = new_id()
        await add(served, key)
        clock.advance(REMEMBERED)
        await add(served, key)
        assert await names(served) == ["till"]
        clock.advance(1)
        await add(served, key)
        assert await names(served) == ["till"] * 2
