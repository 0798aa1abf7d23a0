"""What is simulated is said where operators look."""

from pathlib import Path

import pytest

from tests.console.shop import opened

pytestmark = pytest.mark.anyio


async def test_every_page_says_in_red_what_is_simulated_and_none_when_all_is_real(tmp_path: Path) -> None:
    async with opened(tmp_path / "one") as shop:
        for path in ("/console", "/console/mailbox", "/console/workflow"):
            page = await shop.page(path)
            assert 'aria-label="What is simulated"><strong>Simulated: payments, restaurant, mail.</strong>' in page
            assert "No money is taken. No meal is cooked. No mail is sent." in page
    real = {"PAYMENTS": "http://127.0.0.1:9", "RESTAURANT": "http://127.0.0.1:9", "SMTP_URL": "smtp://127.0.0.1:9"}
    async with opened(tmp_path / "two", **real) as shop:
        assert "simulated" not in (await shop.page("/console")).lower()
        assert (await shop.client.get("/readyz")).json()["simulated"] == []
