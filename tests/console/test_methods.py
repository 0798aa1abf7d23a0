"""Pages, files and live pages take the methods that they have an answer to."""

from pathlib import Path

import pytest

from tests.console.shop import opened

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("path", ["/console", "/console/live/orders", "/console/static/console.css", "/o/abc/live"])
@pytest.mark.parametrize("method", ["OPTIONS", "DELETE", "PUT"])
async def test_another_method_than_a_page_takes_is_refused(tmp_path: Path, method: str, path: str) -> None:
    async with opened(tmp_path) as shop:
        answer = await shop.client.request(method, path)

        assert (answer.status_code, answer.headers["Allow"][:9]) == (405, "GET, HEAD")
