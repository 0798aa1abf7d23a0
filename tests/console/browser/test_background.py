"""A tab that nobody looks at is told of nothing, and catches up when somebody does."""

import pytest
from playwright.async_api import expect

from bench.console import order, tabs
from bench.rig.server import serving
from tests.console.browser.visitor import Visitor

pytestmark = [pytest.mark.anyio, pytest.mark.heavy]

HIDDEN = """hidden => { Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
                       document.dispatchEvent(new Event("visibilitychange")); }"""


async def test_a_tab_in_the_background_costs_a_server_nothing(visitor: Visitor) -> None:
    with serving({}) as server:
        (page,) = await tabs(visitor.browser, server, 1)
        async with page.expect_event("requestfailed"):  # the page hangs up its stream
            await page.evaluate(HIDDEN, True)
        await order(server, 100, connections=1)
        assert await page.locator("#rows tr").count() == 0
        await page.evaluate(HIDDEN, False)
        await expect(page.locator("#rows tr")).to_have_count(100)
