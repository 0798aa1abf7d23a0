"""What becomes of an order when a call through a gateway fails in a way that no rule of its protocol names."""

import logging
from pathlib import Path
from typing import Any

import pytest

from expediter.embedded.engine.gateways import Gateways
from tests.support.stage import SECOND, opened, story
from tests.support.town import standing


@story
async def test_a_call_that_ends_in_an_unexpected_error_is_a_failure_of_its_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: Any) -> None:
        raise KeyError("charge")

    with standing() as town:
        async with opened(tmp_path, HOLD_SECONDS="0", **town.settings) as stage:
            with monkeypatch.context() as patch, caplog.at_level(logging.CRITICAL, "expediter.calls"):
                patch.setattr(Gateways, "call", broken)
                order_id = await stage.place()
            assert stage.status(order_id) == "PENDING"

            await stage.advance(2 * SECOND)

            assert stage.status(order_id) == "SUCCESS"
