"""The name of a key is its program's identity: two names that look alike are not two programs."""

import pytest

from tests.embedded.web.access.callers import TOKEN
from tests.embedded.web.conftest import Opened

pytestmark = pytest.mark.anyio
ADMIN = {"Authorization": f"Bearer {TOKEN}"}


@pytest.mark.parametrize(
    "name", ["shop ", " shop", "the  shop", "", " ", "sh\u00f3p", "sho\u0301p", "shop\u200b", "shop\n", "sh\top"]
)
async def test_a_name_is_printable_ascii_with_single_blanks_inside(opened: Opened, name: str) -> None:
    async with opened(TOKEN=TOKEN) as served:
        asked = {"name": name, "scopes": ["orders:read"]}
        answer = await served.client.post("/keys", json=asked, headers=ADMIN)
        assert (answer.status_code, answer.json()["errors"][0]["path"]) == (422, "name")


async def test_a_name_that_differs_from_another_in_capitals_only_is_refused_while_that_one_is_in_force(
    opened: Opened,
) -> None:
    async with opened(TOKEN=TOKEN) as served:

        async def add(name: str) -> dict[str, object]:
            asked = {"name": name, "scopes": ["orders:read"]}
            return dict((await served.client.post("/keys", json=asked, headers=ADMIN)).json())

        made, other = await add("the shop"), await add("The Shop")
        assert (other["error"], "the shop" in str(other["detail"])) == ("OrderInvalid", True)
        assert "secret" in await add("the shop")
        assert "secret" in await add("the shops")
        for key in (await served.client.get("/keys", headers=ADMIN)).json()["items"]:
            await served.client.delete(f"/keys/{key['id']}", headers=ADMIN)
        assert "secret" in await add("The Shop")
        assert "secret" in made
