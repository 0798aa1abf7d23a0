"""The mail of a customer of an issuer's goes to the address that the issuer has verified; others name any address."""

from collections.abc import Iterator
from typing import Any

import pytest

from expediter.app.orders import find
from expediter.app.ports import Caller
from tests.embedded.web.conftest import Opened, Served
from tests.support.clock import NOON, VirtualClock
from tests.support.issuer import Issuer, issuing

pytestmark = pytest.mark.anyio

OWN, OTHER = "ann@example.com", "somebody@example.org"
ORDER = {"restaurant_id": "Restaurant 4", "quantity": 3}


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with issuing(NOON / 1000) as running:
        yield running


async def mailed(served: Served, token: str, **fields: str) -> str | None:
    """Where the mail of an order goes that was placed with the token."""
    bearer = {"Authorization": f"Bearer {token}"}
    placed = await served.client.post("/orders", json={**ORDER, **fields}, headers=bearer)
    assert placed.status_code == 204
    return served.home.read(lambda work: find(work, Caller(), placed.headers["Order-Id"])).email


@pytest.mark.parametrize(
    ("claims", "goes_to"),
    [
        ({"email": OWN, "email_verified": True}, OWN),
        ({"email": OWN, "email_verified": False}, None),
        ({"email": OWN}, None),
        ({}, None),
    ],
)
@pytest.mark.parametrize("email", [OWN, OTHER])
async def test_a_customer_s_goes_to_the_verified_address(
    opened: Opened, issuer: Issuer, claims: dict[str, Any], goes_to: str | None, email: str
) -> None:
    async with opened(VirtualClock(), **issuer.settings()) as served:
        token = issuer.token("ann", **claims)
        assert await mailed(served, token, email=email) == goes_to
        assert await mailed(served, token) is None


async def test_a_customer_s_change_of_the_address_goes_by_the_same_rule(opened: Opened, issuer: Issuer) -> None:
    async with opened(VirtualClock(), **issuer.settings()) as served:
        bearer = {"Authorization": f"Bearer {issuer.token('ann', email=OWN, email_verified=True)}"}
        placed = await served.client.post("/orders", json=ORDER, headers=bearer)
        path = placed.headers["Location"]
        assert (await served.client.put(path, json={"email": OTHER}, headers=bearer)).status_code == 204
        assert served.home.read(lambda work: find(work, Caller(), placed.headers["Order-Id"])).email == OWN


@pytest.mark.parametrize(
    "claims",
    [
        {"groups": ["operators"], "email": OWN, "email_verified": True},
        {"sub": "shop", "client_id": "shop", "scope": "expediter/orders:write"},
    ],
)
async def test_operators_and_programs_name_any_address(opened: Opened, issuer: Issuer, claims: dict[str, Any]) -> None:
    async with opened(VirtualClock(), **issuer.settings()) as served:
        token = issuer.token(**{"sub": "olga", **claims})
        assert await mailed(served, token, user_id="somebody", email=OTHER) == OTHER
