"""The server and a real provider: tokens of its code flow, of programs, its keys rotating, and its absence."""

import time
from pathlib import Path

import httpx
import pytest

from tests.console.shop import Shop, opened
from tests.oidc.conftest import Provider
from tests.support.clock import VirtualClock

pytestmark = [pytest.mark.anyio, pytest.mark.heavy]
ORDER = {"restaurant_id": "r", "quantity": 1}
MINUTE = 60_000


def clock() -> VirtualClock:
    """Stands at the real time: the provider's tokens are of then."""
    return VirtualClock(int(time.time() * 1000))


async def asked(shop: Shop, token: str, path: str = "/orders") -> httpx.Response:
    return await shop.client.get(path, headers={"Authorization": f"Bearer {token}"})


@pytest.mark.parametrize("kind", ["access_token", "id_token"])
async def test_a_customer_of_the_code_flow_orders_and_sees_his_own(
    tmp_path: Path, provider: Provider, kind: str
) -> None:
    async with opened(tmp_path, **provider.settings()) as shop:
        ann, bob = [{"Authorization": f"Bearer {await provider.token(user, kind)}"} for user in ("ann", "bob")]
        placed = await shop.client.post("/orders", json=ORDER, headers=ann)
        assert placed.status_code == 204
        order = (await shop.client.get(placed.headers["Location"], headers=ann)).json()
        assert order["user_id"] == "ann"
        assert (await shop.client.get(placed.headers["Location"], headers=bob)).status_code == 404
        assert (await shop.client.get("/dlq", headers=ann)).json()["error"] == "ScopeMissing"


async def test_an_operator_may_what_his_groups_say(tmp_path: Path, provider: Provider) -> None:
    async with opened(tmp_path, **provider.settings()) as shop:
        for user, allowed in (("olga", {"/dlq", "/keys"}), ("olga-viewer", {"/dlq"}), ("ann", set())):
            token = await provider.token(user)
            assert {path for path in ("/dlq", "/keys") if (await asked(shop, token, path)).is_success} == allowed


async def test_a_program_may_what_its_scopes_say(tmp_path: Path, provider: Provider) -> None:
    async with opened(tmp_path, **provider.settings()) as shop:
        token = await provider.program("expediter/dlq expediter/orders:read")
        answers = [(await asked(shop, token, path)).status_code for path in ("/dlq", "/orders", "/metrics")]
        assert answers == [200, 200, 403]


async def test_keys_rotate_while_the_server_serves(tmp_path: Path, provider: Provider) -> None:
    async with opened(tmp_path, **provider.settings()) as shop:
        old = await provider.token("ann")
        assert (await asked(shop, old)).status_code == 200
        provider.restart(1, 0)
        new = await provider.token("ann")
        assert (await asked(shop, new)).status_code == 200
        assert (await asked(shop, old)).status_code == 200
        provider.restart(2, 1)
        newest = await provider.token("ann")
        assert (await asked(shop, newest)).status_code == 200
        assert [(await asked(shop, token)).status_code for token in (old, new)] == [401, 200]


async def test_a_provider_that_is_dead_for_a_minute_stops_nobody_whose_key_is_known(
    tmp_path: Path, provider: Provider
) -> None:
    time_here = clock()
    async with opened(tmp_path, time_here, **provider.settings()) as shop:
        ann, bob, late = [await provider.token(user) for user in ("ann", "bob", "late")]
        assert (await asked(shop, ann)).status_code == 200
        provider.kill()
        for _ in range(6):
            time_here.advance(MINUTE // 6)
            assert [(await asked(shop, token)).status_code for token in (ann, bob)] == [200, 200]
        assert (await shop.client.get("/console/sign-in/issuer")).status_code == 303  # where it is, is known
        provider.restart(1, 0)
        assert (await asked(shop, late)).status_code == 200
        assert (await asked(shop, await provider.token("ann"))).status_code == 200
