"""The REST API over HTTP: what the server adds to the API itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import httpx
import pytest

from expediter.api.request import Response
from expediter.app.orders import find
from expediter.app.ports import Caller
from expediter.domain.order import Order
from expediter.embedded.web.http1.request_head import LARGEST_BODY
from expediter.embedded.web.operations import OPERATIONS, read
from tests.embedded.web.conftest import PLAIN, Opened

pytestmark = pytest.mark.anyio


async def test_an_order_is_accepted_and_can_be_read_at_once(opened: Opened) -> None:
    async with opened() as served:
        accepted = await served.client.post("/orders", json=PLAIN)
        assert (accepted.status_code, accepted.content) == (204, b"")
        order = await served.client.get(accepted.headers["Location"])
        assert order.json()["id"] == accepted.headers["Order-Id"]
        assert order.headers["Content-Type"] == "application/json"
        assert order.headers["Cache-Control"] == "no-store"


async def test_each_order_gets_an_id_of_its_own(opened: Opened) -> None:
    async with opened() as served:
        answers = await asyncio.gather(*(served.client.post("/orders", json=PLAIN) for _ in range(50)))
        assert len({answer.headers["Order-Id"] for answer in answers}) == 50


async def test_two_different_keys_in_two_header_lines_are_no_request_and_one_twice_is_one(serving: Opened) -> None:
    key, other = "0192f0c1-2345-7abc-8def-0123456789ab", "0192f0c1-2345-7abc-8def-0123456789ac"
    async with serving() as served:
        refused = await served.client.post(
            "/orders", json=PLAIN, headers=[("Idempotency-Key", key), ("Idempotency-Key", other)]
        )
        taken = await served.client.post("/orders", json=PLAIN, headers=[("Idempotency-Key", key)] * 2)
        assert (refused.status_code, refused.json()["error"]) == (400, "RequestUnparsable")
        assert (taken.status_code, taken.headers["Order-Id"]) == (204, key)


async def test_an_unknown_path_is_a_problem(opened: Opened) -> None:
    async with opened() as served:
        answer = await served.client.get("/order")
        assert (answer.status_code, answer.json()["error"]) == (404, "PathUnknown")
        assert answer.headers["Content-Type"] == "application/problem+json"


async def test_a_method_that_a_path_does_not_take_is_told_which_it_takes(opened: Opened) -> None:
    async with opened() as served:
        answer = await served.client.patch("/orders/1")
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, PUT, DELETE")


async def test_the_probes_and_the_metrics_answer(opened: Opened) -> None:
    async with opened() as served:
        assert (await served.client.get("/healthz")).json() == {"status": "ok"}
        assert (await served.client.get("/readyz")).json() == {
            "status": "ready",
            "simulated": ["payments", "restaurant", "mail"],
        }
        await served.client.post("/orders", json=PLAIN)
        metrics = await served.client.get("/metrics")
        assert metrics.headers["Content-Type"].startswith("text/plain")
        assert "expediter_orders_accepted_total 1.0" in metrics.text
        assert 'expediter_simulated{part="payments"} 1.0' in metrics.text


async def test_the_address_itself_leads_to_the_console(opened: Opened) -> None:
    async with opened() as served:
        answer = await served.client.get("/", follow_redirects=True)
        assert (answer.url.path, answer.status_code) == ("/console", 200)
        for link in ("/orders", "/openapi.json", "/metrics"):
            assert f'href="{link}"' in answer.text


async def test_who_comes_when_the_server_stops_is_sent_away_for_a_moment(opened: Opened) -> None:
    async with opened() as served:
        await served.home.stop()
        for answer in (await served.client.post("/orders", json=PLAIN), await served.client.get("/readyz")):
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
            assert answer.json()["status"] == 503
        assert (await served.client.get("/healthz")).status_code == 200


async def test_a_fault_of_ours_is_a_problem_without_its_insides(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> Response:
        raise ZeroDivisionError("secret")

    monkeypatch.setitem(OPERATIONS, "getOrder", read(broken))
    async with opened() as served:
        answer = await served.client.get("/orders/1")
        assert (answer.status_code, answer.json()["error"]) == (500, "InternalError")
        assert "secret" not in answer.text


# ── sizes ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("headers", [{}, {"Content-Length": str(10 * 8192)}])
async def test_a_body_that_is_too_large_is_refused_with_or_without_a_length(
    serving: Opened, headers: dict[str, str]
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield b" " * 8192

    async with serving() as served:
        headers = {**headers, "Content-Type": "application/json"}
        answer = await served.client.post("/orders", content=chunks(), headers=headers)
        assert (answer.status_code, answer.headers["Connection"]) == (413, "close")
        assert (await served.client.post("/orders", json=PLAIN)).status_code == 204


async def test_a_body_without_end_is_cut_off(serving: Opened) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b" " * 65536

    async with serving() as served:
        with suppress(httpx.NetworkError):
            answer = await served.client.post(
                "/orders", content=endless(), headers={"Content-Type": "application/json"}
            )
            assert answer.status_code == 413


async def test_a_body_as_large_as_allowed_is_taken(opened: Opened) -> None:
    body = b'{"user_id":"u","restaurant_id":"r","quantity":1}'
    async with opened() as served:
        for padding, status in ((0, 204), (1, 413)):
            content = body + b" " * (LARGEST_BODY - len(body) + padding)
            answer = await served.client.post("/orders", content=content, headers={"Content-Type": "application/json"})
            assert answer.status_code == status


async def test_addresses_and_headers_have_their_limits(opened: Opened) -> None:
    async with opened() as served:
        assert (await served.client.get("/orders?cursor=" + "x" * 9000)).status_code == 414
        assert (await served.client.get("/orders", headers={"X": "x" * 17_000})).status_code == 431


# ── over a real socket ────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_first_order_of_the_readme(serving: Opened) -> None:
    body = b'{"user_id":"Burger_20","quantity":"3","restaurant_id":"Restaurant 4"}'
    async with serving() as served:
        headers = {"Content-Type": "application/json"}
        answer = await served.client.post(f"http://localhost:{served.port}/orders", content=body, headers=headers)
        assert (answer.status_code, answer.headers["Location"]) == (204, f"/orders/{answer.headers['Order-Id']}")
        assert "Content-Length" not in answer.headers


async def test_head_is_answered_like_get_without_a_body(serving: Opened) -> None:
    async with serving() as served:
        get, head = await served.client.get("/orders"), await served.client.head("/orders")
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["Content-Length"] == get.headers["Content-Length"]


async def test_an_order_that_waits_through_the_hold_ends(serving: Opened) -> None:
    async with serving(HOLD_SECONDS="0") as served:
        with served.home.feed.subscribe() as changes:
            accepted = await served.client.post("/orders", json=PLAIN)
            async for order in changes:
                if order.ended:
                    break
        order_shown = (await served.client.get(accepted.headers["Location"])).json()
        assert order_shown["order_status"] == "SUCCESS"
        events = (await served.client.get(accepted.headers["Location"] + "/timeline")).json()["events"]
        assert events[-1]["type"] == "ExecutionSucceeded"


async def test_an_order_is_never_missed_on_its_way_from_the_queue_to_the_table(opened: Opened) -> None:
    async with opened() as served:

        def read(order_id: str) -> Order:
            return served.home.read(lambda work: find(work, Caller(), order_id))

        for _ in range(20):
            answers = await asyncio.gather(*(served.client.post("/orders", json=PLAIN) for _ in range(5)))
            for _ in range(30):  # meanwhile the intake saves them, and COMMIT runs in a thread beside these reads
                for answer in answers:
                    read(answer.headers["Order-Id"])
                await asyncio.sleep(0)
