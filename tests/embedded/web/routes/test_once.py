"""Idempotency-Key at operations of operators: the same request under it is done once and answered as the first."""

import time
from typing import Any

import httpx
import pytest

from expediter.app.operator.repeats import REMEMBERED
from expediter.embedded.clock import new_id
from tests.embedded.web.access.callers import TOKEN
from tests.embedded.web.access.test_owner import by, placed
from tests.embedded.web.conftest import Opened, Served
from tests.embedded.web.test_repeats import SECRET, a_dead_event, a_letter, an_order, settled
from tests.support.clock import VirtualClock
from tests.support.issuer import issuing

pytestmark = pytest.mark.anyio

TILL = {"name": "till", "scopes": ["orders:read"]}


async def add(served: Served, key: str, body: Any = TILL) -> httpx.Response:
    return await served.client.post("/keys", json=body, headers={"Idempotency-Key": key})


async def names(served: Served) -> list[str]:
    return [key["name"] for key in (await served.client.get("/keys")).json()["items"]]


async def test_a_key_is_made_once_and_its_secret_is_not_shown_again(opened: Opened) -> None:
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


@pytest.mark.parametrize(("method", "path"), [("POST", "/keys"), ("DELETE", "/dlq"), ("DELETE", "/workflow/routing")])
async def test_a_key_that_is_none_is_refused_and_the_answer_speaks_of_no_order(
    opened: Opened, method: str, path: str
) -> None:
    async with opened() as served:
        body = TILL if path == "/keys" else None
        refused = await served.client.request(method, path, json=body, headers={"Idempotency-Key": "k" * 256})

    assert refused.status_code == 422
    assert refused.json()["detail"].startswith("The request cannot be carried out as it is: Idempotency-Key: ")
    assert [fault["path"] for fault in refused.json()["errors"]] == ["Idempotency-Key"]


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
        too_long = await add(served, "x" * 256)
        made = await names(served)

    assert (made, too_long.status_code) == (["till"] * 4, 422)


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


async def twice_with_a_letter_between(served: Served, method: str, path: str) -> tuple[list[httpx.Response], list[str]]:
    """The answers of a request that is sent twice under one key, and the ids of the letters that are there then."""
    headers = {"Idempotency-Key": new_id()}
    first = await served.client.request(method, path, headers=headers)
    await settled(served)
    later = await a_letter(served)
    second = await served.client.request(method, path, headers=headers)
    await settled(served)
    left = [letter["id"] for letter in (await served.client.get("/dlq")).json()["items"]]
    assert later in left
    return [first, second], left


@pytest.mark.parametrize(("method", "path"), [("DELETE", "/dlq"), ("POST", "/dlq/redrive")])
async def test_a_repeat_for_all_dead_letters_leaves_those_that_came_later(
    opened: Opened, method: str, path: str
) -> None:
    async with opened(VirtualClock()) as served:
        await a_letter(served)
        answers, left = await twice_with_a_letter_between(served, method, path)

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].content == answers[1].content
    assert ["idempotent-replayed" in answer.headers for answer in answers] == [False, True]
    assert left


@pytest.mark.parametrize(("method", "path"), [("DELETE", "/dlq/{}"), ("POST", "/dlq/{}/redrive")])
async def test_a_repeat_for_one_dead_letter_is_answered_as_the_first(opened: Opened, method: str, path: str) -> None:
    async with opened(VirtualClock()) as served:
        answers, _ = await twice_with_a_letter_between(served, method, path.format(await a_letter(served)))

    assert [answer.status_code for answer in answers] == [204, 204]
    assert answers[1].headers["Idempotent-Replayed"] == "true"


async def test_a_repeated_delete_does_not_hide_the_order_that_the_first_cancelled(opened: Opened) -> None:
    clock = VirtualClock()
    async with opened(clock, HOLD_SECONDS="600") as served:
        order_id, headers = await an_order(served), {"Idempotency-Key": new_id()}
        first = await served.client.delete(f"/orders/{order_id}", headers=headers)
        clock.advance(600_000)  # what was charged is given back when the hold ends
        await settled(served)
        second = await served.client.delete(f"/orders/{order_id}", headers=headers)
        shown = await served.client.get(f"/orders/{order_id}")
        for_another = await served.client.delete(f"/orders/{await an_order(served)}", headers=headers)
        hidden = await served.client.delete(f"/orders/{order_id}")
        gone = await served.client.get(f"/orders/{order_id}")

    assert (first.status_code, second.status_code) == (204, 204)
    assert ("idempotent-replayed" in first.headers, second.headers["Idempotent-Replayed"]) == (False, "true")
    assert (shown.json()["order_status"], for_another.status_code) == ("CANCELLED", 422)
    assert (hidden.status_code, gone.status_code) == (204, 404)


async def test_a_customers_key_is_no_other_customers(opened: Opened) -> None:
    with issuing(time.time()) as issuer:
        async with opened(TOKEN=TOKEN, **issuer.settings()) as served:
            key, told = new_id(), []
            for user in ("ann", "bob"):
                order_id = (await placed(served, by(issuer, user))).headers["Order-Id"]
                headers = {**by(issuer, user), "Idempotency-Key": key}
                told.append(await served.client.delete(f"/orders/{order_id}", headers=headers))

    assert [answer.status_code for answer in told] == [204, 204]
    assert not any("idempotent-replayed" in answer.headers for answer in told)


async def test_an_event_that_was_sent_back_and_died_again_is_not_sent_back_by_a_repeat(opened: Opened) -> None:
    async with opened(VirtualClock(), PAYMENTS_WEBHOOK_SECRET=SECRET) as served:
        path, key = await a_dead_event(served), {"Idempotency-Key": new_id()}
        answers = []
        for _ in range(2):
            answers.append(await served.client.post(f"{path}/redrive", headers=key))
            await settled(served)
        acts = [entry["kind"] for entry in (await served.client.get("/audit")).json()["items"]]

    assert [(answer.status_code, "Idempotent-Replayed" in answer.headers) for answer in answers] == [
        (204, False),
        (204, True),
    ]
    assert acts == ["redrove one"]


async def test_mails_that_are_sent_again_under_a_key_are_sent_again_once(opened: Opened) -> None:
    async with opened(VirtualClock()) as served:
        path, key = f"/orders/{await an_order(served)}/mails/resend", {"Idempotency-Key": new_id()}
        first, again = [await served.client.post(path, json={}, headers=key) for _ in range(2)]
        other = await served.client.post(path, json={"recipient": "a@example.com"}, headers=key)

    assert (first.json(), "Idempotent-Replayed" in first.headers) == ({"resent": 0}, False)
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (first.json(), "true")
    assert other.json()["error"] == "IdempotencyKeyReused"
