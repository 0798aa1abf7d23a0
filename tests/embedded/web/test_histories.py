"""A history whose expressions take long is derived beside the loop, and is the same."""

import asyncio

import pytest

from expediter.embedded.operator import histories
from tests.embedded.web.conftest import PLAIN, Opened

pytestmark = pytest.mark.anyio


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every history takes longer than the loop has for it."""
    monkeypatch.setattr(histories, "TURN", -1.0)


async def test_a_timeline_that_takes_long_is_the_same(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened() as served:
        order_id = (await served.client.post("/orders", json=PLAIN)).headers["Order-Id"]
        timeline = f"/orders/{order_id}/timeline"
        async with asyncio.timeout(10):
            while "WaitStateEntered" not in (plain := await served.client.get(timeline)).text:  # held for a minute
                await served.home.write(lambda work: None, "look")
        monkeypatch.setattr(histories, "TURN", -1.0)
        slow = await served.client.get(timeline)

        assert plain.status_code == slow.status_code == 200
        assert len(slow.json()["events"]) > 3
        assert slow.json() == plain.json()


@pytest.mark.usefixtures("slow")
async def test_the_page_of_an_order_whose_history_takes_long_is_shown(opened: Opened) -> None:
    async with opened() as served:
        order_id = (await served.client.post("/orders", json=PLAIN)).headers["Order-Id"]
        await served.home.write(lambda work: None, "look")
        page = await served.client.get(f"/console/orders/{order_id}", headers={"Accept": "text/html"})
        assert page.status_code == 200
        assert "ProcessPayment" in page.text


@pytest.mark.usefixtures("slow")
async def test_a_history_that_takes_too_long_is_refused_and_nothing_else_is(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(histories, "LONGEST", -1.0)
    async with opened() as served:
        order_id = (await served.client.post("/orders", json=PLAIN)).headers["Order-Id"]
        await served.home.write(lambda work: None, "look")
        refused = await served.client.get(f"/orders/{order_id}/timeline")
        assert (refused.status_code, refused.json()["error"]) == (503, "TooBusy")
        assert refused.headers["Retry-After"]
        assert (await served.client.get(f"/orders/{order_id}")).status_code == 200
