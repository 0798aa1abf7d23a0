"""A running server whose machine's clock is set forward by a day: nothing ends before its time, and nobody is told of
orders that are in time.
"""

import logging
import re
from pathlib import Path

import pytest

from expediter.domain.order import Status
from expediter.embedded.loops.alerts import Alerts
from expediter.embedded.loops.retention import Retention
from tests.console.shop import Shop, opened
from tests.embedded.test_clock import MS, Machine
from tests.embedded.web.access.callers import TOKEN, made_key
from tests.support.stage import DAY, HOUR, SECOND

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def link_of(shop: Shop, order_id: str) -> str:
    found = re.search(r'"(/o/[^"]+)"', await shop.page(f"/console/orders/{order_id}"))
    assert found
    return found[1]


async def history_of(shop: Shop, order_id: str) -> dict[str, object]:
    told: dict[str, object] = (await shop.client.get(f"/orders/{order_id}/timeline")).json()
    return told


async def test_a_clock_set_a_day_forward_ends_no_hold_session_link_key_or_history_and_reports_no_order(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    machine = Machine()
    given = {"TOKEN": TOKEN, "KEEP_DAYS": "1", "LINK_DAYS": "1", "HOLD_SECONDS": "3600"}
    with caplog.at_level(logging.WARNING):
        async with opened(tmp_path, machine.clock(), **given) as shop:
            signed = await shop.client.post("/console/sign-in", data={"token": TOKEN, "name": "Ada"})
            assert signed.status_code == 303
            shop.client.headers["Authorization"] = f"Bearer {TOKEN}"
            held, ended = await shop.place(), await shop.place()
            await shop.until(held, Status.PAID)
            await shop.client.post(f"/orders/{ended}/cancel")
            _, key = await made_key(shop.client, ["orders:read"], shop.home.clock.now() + HOUR)
            link = await link_of(shop, held)

            machine.wall += DAY * MS
            for _ in range(60):
                machine.run(SECOND)
                shop.home.clock.now()
            for loop in shop.home._loops:
                if isinstance(loop, Alerts | Retention):
                    await loop.one_round(shop.home.clock.now())

            assert (await shop.client.get("/console")).status_code == 200
            assert (await shop.client.get(link)).status_code == 200
            assert (await shop.client.get("/orders", headers={"Authorization": f"Bearer {key}"})).status_code == 200
            assert (await shop.client.get(f"/orders/{held}")).json()["order_status"] == "PAID"
            assert not (await history_of(shop, ended))["pruned"]
    assert not [record for record in caplog.records if record.name == "expediter.alerts"]
