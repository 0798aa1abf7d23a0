"""The page of an order whose customer was erased: there is nothing to see of its way, and nobody to order for."""

from pathlib import Path

import pytest

from expediter.domain.order import Status
from tests.console.shop import PLAIN, opened

pytestmark = pytest.mark.anyio


async def test_an_erased_customers_order_is_not_ordered_again(tmp_path: Path) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0") as shop:
        order_id = await shop.place()
        await shop.until(order_id, Status.SUCCESS)
        assert (await shop.client.post("/erasures", json={"user_id": PLAIN["user_id"]})).status_code == 200
        path = f"/console/orders/{order_id}"
        refused = await shop.send(f"{path}/again")
        assert refused.status_code == 422
        assert "its customer was erased" in refused.text
        assert 'id="again"' not in await shop.page(path)


async def test_without_a_state_that_was_entered_there_is_no_box_for_one(tmp_path: Path) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0") as shop:
        order_id = await shop.place()
        await shop.until(order_id, Status.SUCCESS)
        path, box = f"/console/orders/{order_id}", 'data-part="steps"'
        assert f"{box}>" in await shop.page(path)
        await shop.client.post("/erasures", json={"user_id": PLAIN["user_id"]})
        assert f"{box} hidden>" in await shop.page(path)
