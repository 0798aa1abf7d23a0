"""A real browser: Debian's chromium, or the one that CHROMIUM names; without one these tests say so and are skipped."""

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

playwright = pytest.importorskip(
    "playwright.async_api", reason="playwright is not installed: make test-all installs it"
)

from tests.console.browser.visitor import Visitor  # noqa: E402  # it imports playwright, which may be missing

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
#: Nothing of the browser's own goes over the network.
ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --enable-precise-memory-info"
).split()
#: Where pictures of the pages are kept when EXPEDITER_SCREENSHOTS asks for new ones.
IMAGES = Path(__file__).parents[3] / "docs/images"


@pytest.fixture
async def visitor(tmp_path: Path) -> AsyncIterator[Visitor]:
    """A browser with one page; at its end the page must not have complained."""
    if CHROMIUM is None:
        pytest.skip("no chromium is installed: apt install chromium, or name one in CHROMIUM")
    async with playwright.async_playwright() as started:
        browser = await started.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            images = IMAGES if os.environ.get("EXPEDITER_SCREENSHOTS") else tmp_path
            found = await Visitor.arrive(browser, images)
            yield found
            assert found.complaints == []
        finally:
            await browser.close()
