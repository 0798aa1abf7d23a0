"""A history whose expressions take long is derived beside the loop, and is the same."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from expediter.embedded.operator import histories
from tests.embedded.web.conftest import PLAIN, Opened

pytestmark = pytest.mark.anyio


async def held(served: Any) -> str:
    """The id of an order in the hold: its history is long enough to be broken off."""
    order_id = str((await served.client.post("/orders", json=PLAIN)).headers["Order-Id"])
    async with asyncio.timeout(10):
        while "WaitStateEntered" not in (await served.client.get(f"/orders/{order_id}/timeline")).text:
            await served.home.write(lambda work: None, "look")
    return order_id


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From the call on every history takes longer than the loop has for it."""
    return lambda: monkeypatch.setattr(histories, "TURN", -1.0)


async def test_a_timeline_that_takes_long_is_the_same(opened: Opened, slow: Callable[[], None]) -> None:
    async with opened() as served:
        timeline = f"/orders/{await held(served)}/timeline"
        plain = await served.client.get(timeline)
        slow()
        late = await served.client.get(timeline)

        assert plain.status_code == late.status_code == 200
        assert len(late.json()["events"]) > 3
        assert late.json() == plain.json()


async def test_the_page_of_an_order_whose_history_takes_long_is_shown(opened: Opened, slow: Callable[[], None]) -> None:
    async with opened() as served:
        order_id = await held(served)
        slow()
        page = await served.client.get(f"/console/orders/{order_id}", headers={"Accept": "text/html"})
        assert page.status_code == 200
        assert "ProcessPayment" in page.text


async def test_a_history_that_takes_too_long_is_refused_and_nothing_else_is(
    opened: Opened, slow: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened() as served:
        order_id = await held(served)
        slow()
        monkeypatch.setattr(histories, "LONGEST", -1.0)
        refused = await served.client.get(f"/orders/{order_id}/timeline")
        assert (refused.status_code, refused.json()["error"]) == (503, "TooBusy")
        assert refused.headers["Retry-After"]
        assert (await served.client.get(f"/orders/{order_id}")).status_code == 200
