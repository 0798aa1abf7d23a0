"""Sign-ins at the issuer that are under way: one address does not push out those of others."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from expediter.api.errors import IssuerUnavailable, Unauthorized
from expediter.embedded.settings import Oidc
from expediter.embedded.web.access.code_flow import MOST, MOST_OF_ADDRESS, CodeFlow
from expediter.embedded.web.access.issuer import Issuer as IssuerClient
from tests.support.clock import NOON, VirtualClock
from tests.support.issuer import AUDIENCE, Issuer, issuing

pytestmark = pytest.mark.anyio
BACK = "http://localhost/console/sign-in/return"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with issuing(NOON / 1000) as running:
        yield running


def flow_at(issuer: Issuer) -> CodeFlow:
    clock = VirtualClock()
    return CodeFlow(IssuerClient(Oidc(issuer.url, (AUDIENCE,), "groups", "console"), clock), clock)


async def begun(flow: CodeFlow, caller: str) -> tuple[str, str]:
    """The state and the cookie of a sign-in that begins."""
    address, browser = await flow.begin(BACK, caller)
    return parse_qs(urlsplit(address).query)["state"][0], browser


async def is_under_way(flow: CodeFlow, state: str, browser: str) -> bool:
    """Whether its end asks the issuer, which is away by then."""
    with pytest.raises((IssuerUnavailable, Unauthorized)) as ended:
        await flow.end({"state": state, "code": "c"}, browser)
    return ended.type is IssuerUnavailable


async def test_one_address_that_begins_again_and_again_pushes_out_its_own_sign_ins_only(issuer: Issuer) -> None:
    flow = flow_at(issuer)
    operator = await begun(flow, "192.0.2.1")
    others = [await begun(flow, "192.0.2.2") for _ in range(MOST + 10)]
    issuer.stop()

    assert [await is_under_way(flow, *one) for one in others[-MOST_OF_ADDRESS - 1 :]] == [False] + [True] * 20
    assert await is_under_way(flow, *operator)


async def test_many_addresses_together_push_out_the_oldest_sign_in(issuer: Issuer) -> None:
    flow = flow_at(issuer)
    first = await begun(flow, "192.0.2.1")
    second = await begun(flow, "192.0.2.2")
    for number in range(MOST - 1):
        await begun(flow, f"198.51.100.{number}")
    issuer.stop()

    assert not await is_under_way(flow, *first)
    assert await is_under_way(flow, *second)
