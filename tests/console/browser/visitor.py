"""Somebody at a browser: goes to pages, looks at them, takes pictures, and has axe look for barriers."""

from pathlib import Path
from typing import Any

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Locator, Page, expect

from tests.console.shop import Shop

#: Milliseconds that a page gets to show what it should.
PATIENCE = 15_000
expect.set_options(timeout=PATIENCE)


class Visitor:
    def __init__(self, browser: Browser, page: Page, images: Path) -> None:
        self.browser = browser
        self.page = page
        self.complaints: list[str] = []
        self._images = images
        self.watch(page)

    @classmethod
    async def arrive(cls, browser: Browser, images: Path) -> "Visitor":
        page = await browser.new_page(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
        page.set_default_timeout(PATIENCE)
        return cls(browser, page, images)

    def watch(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: self._hear(said.type, said.text))

    def _hear(self, kind: str, text: str) -> None:
        """Keeps what the page complains of; not that a server which stops opens no more streams, or is gone."""
        if kind == "error" and "503" not in text and "ERR_CONNECTION_REFUSED" not in text:
            self.complaints.append(text)

    async def visit(self, shop: Shop, path: str) -> None:
        await self.page.goto(shop.url + path)

    async def live(self) -> None:
        """Waits until the page's stream is open."""
        await expect(self.page.locator("[data-link=live]").first).to_be_visible()

    async def place(self, shop: Shop, scenario: str, **fields: str) -> str:
        """Places an order by the form; its id."""
        await self.visit(shop, "/console/orders/new")
        await self.page.check(f"input[value={scenario}]")
        for name, value in fields.items():
            await self.page.fill(f"input[name={name}]", value)
        await self.page.click("text=Place the order")
        await self.page.wait_for_url("**/console/orders/*-*")
        return self.page.url.partition("?")[0].rpartition("/")[2]

    async def press(self, name: str) -> None:
        await self.page.get_by_role("button", name=name, exact=True).click()

    def state(self, name: str) -> Locator:
        """A state in the graph."""
        return self.page.locator(f'svg.flow [data-state="{name}"]')

    async def status(self, text: str) -> None:
        await expect(self.page.locator("h1 .pill")).to_have_text(text)

    async def picture(self, name: str, *, whole: bool = False) -> None:
        await self.page.screenshot(path=self._images / f"{name}.png", full_page=whole)

    async def barriers(self) -> list[str]:
        """What axe finds, in light and in dark."""
        found: list[str] = []
        for scheme in ("light", "dark"):
            await self.page.emulate_media(color_scheme=scheme)
            result = await Axe().run(self.page)
            violations: list[dict[str, Any]] = result.response["violations"]
            found += [f"{scheme} {v['id']}: {[node['html'][:120] for node in v['nodes'][:3]]}" for v in violations]
        await self.page.emulate_media(color_scheme="light")
        return found

    async def overflows(self) -> bool:
        """Whether the page is wider than the window."""
        return bool(await self.page.evaluate("document.documentElement.scrollWidth > innerWidth"))
