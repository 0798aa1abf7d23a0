"""Operators sign in at a real provider, in a real browser, and see what their role may do."""

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.console.browser.visitor import PATIENCE, Visitor
from tests.console.shop import served
from tests.oidc.conftest import Provider, provider  # noqa: F401  # a fixture

pytestmark = [pytest.mark.anyio, pytest.mark.heavy]
TOKEN = "a-long-random-secret"


async def sign_in(visitor: Visitor, url: str, user: str) -> Page:
    """A browser of its own, in which this user has signed in at the provider and come back."""
    context = await visitor.browser.new_context()
    page = await context.new_page()
    page.set_default_timeout(PATIENCE)
    await page.goto(f"{url}/console")
    await page.get_by_role("link", name="Sign in with localhost").click()
    await page.fill("input[name=login]", user)
    await page.fill("input[name=password]", "any")
    await page.click("button[type=submit]")
    await page.get_by_role("button", name="Continue").click()
    await page.wait_for_url(f"{url}/console**")
    return page


async def test_an_operator_signs_in_at_the_provider_acts_and_signs_out(
    visitor: Visitor,
    tmp_path: Path,
    provider: Provider,  # noqa: F811
) -> None:
    async with served(tmp_path, TOKEN=TOKEN, **provider.settings()) as shop:
        order_id = await shop.place()
        page = await sign_in(visitor, shop.url, "olga")
        await expect(page.locator(".who span")).to_have_text("olga the tester (olga)")
        await page.goto(f"{shop.url}/console/orders/{order_id}")
        await page.get_by_role("button", name="Cancel the order").click()
        await expect(page.locator(".timeline")).to_contain_text("olga the tester")
        await page.get_by_role("button", name="Sign out").click()
        await expect(page.get_by_role("link", name="Sign in with localhost")).to_be_visible()
        await page.goto(f"{shop.url}/console/orders/{order_id}")
        await expect(page.locator("h1")).to_have_text("Sign in")


async def test_a_viewer_is_offered_only_what_a_viewer_may_do(
    visitor: Visitor,
    tmp_path: Path,
    provider: Provider,  # noqa: F811
) -> None:
    async with served(tmp_path, **provider.settings()) as shop:
        order_id = await shop.place()
        page = await sign_in(visitor, shop.url, "olga-viewer")
        await expect(page.locator("h1")).to_have_text("Orders")
        assert await page.get_by_role("link", name="Place an order").count() == 0
        await page.goto(f"{shop.url}/console/orders/{order_id}")
        assert await page.get_by_role("button").all_text_contents() == ["Sign out"]
        await page.goto(f"{shop.url}/console/workflow/try")
        await expect(page.locator("main")).to_contain_text("scope workflow")


async def test_a_customer_of_the_provider_is_no_operator(
    visitor: Visitor,
    tmp_path: Path,
    provider: Provider,  # noqa: F811
) -> None:
    async with served(tmp_path, **provider.settings()) as shop:
        page = await sign_in(visitor, shop.url, "ann")
        await expect(page.locator("main")).to_contain_text("not as an operator")
        await page.goto(f"{shop.url}/console")
        await expect(page.locator("h1")).to_have_text("Sign in")
