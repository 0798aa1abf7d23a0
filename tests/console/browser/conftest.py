"""A real browser: Debian's chromium, or the one that CHROMIUM names; without one these tests say so and are skipped.

`make test-heavy` installs playwright; where only the locks of `make test` are installed nothing here is collected.
"""

import importlib.util
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.console.browser.visitor import Visitor

if importlib.util.find_spec("playwright") is None:
    collect_ignore_glob = ["test_*.py"]

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
#: Nothing of the browser's own goes over the network.
ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
#: Where pictures of the pages are kept when EXPEDITER_SCREENSHOTS asks for new ones.
IMAGES = Path(__file__).parents[3] / "docs/images"


@pytest.fixture
async def visitor(tmp_path: Path) -> "AsyncIterator[Visitor]":
    """A browser with one page; at its end the page must not have complained."""
    from playwright.async_api import async_playwright  # noqa: PLC0415  # may be missing where this is only read

    from tests.console.browser.visitor import Visitor  # noqa: PLC0415  # imports it too

    if CHROMIUM is None:
        pytest.skip("no chromium is installed: apt install chromium, or name one in CHROMIUM")
    async with async_playwright() as started:
        browser = await started.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            images = IMAGES if os.environ.get("EXPEDITER_SCREENSHOTS") else tmp_path
            found = await Visitor.arrive(browser, images)
            yield found
            assert found.complaints == []
        finally:
            await browser.close()
