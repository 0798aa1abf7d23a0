"""The log says why the issuer cannot be asked, in a fixed sentence."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from expediter.embedded.logs import JsonLine
from tests.embedded.web.conftest import Opened
from tests.support.clock import NOON, VirtualClock
from tests.support.issuer import Issuer, issuing

pytestmark = pytest.mark.anyio


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with issuing(NOON / 1000) as running:
        yield running


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What the log writes of the issuer, line by line."""
    stream, logger = io.StringIO(), logging.getLogger("expediter.issuer")
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLine())
    logger.addHandler(handler)
    yield stream
    logger.removeHandler(handler)


async def why(opened: Opened, issuer: Issuer, written: io.StringIO, **settings: str) -> Any:
    """The reason that the log gives for the 503 of a token whose key cannot be asked for."""
    async with opened(VirtualClock(), **{**issuer.settings(), **settings}) as served:
        shown = {"Authorization": f"Bearer {issuer.token('ann')}"}
        answer = await served.client.get("/orders", headers=shown)
        assert (answer.status_code, answer.json()["error"]) == (503, "IssuerUnavailable")
    (line,) = written.getvalue().splitlines()
    return json.loads(line)["reason"]


async def test_a_slash_too_many_in_the_setting(opened: Opened, issuer: Issuer, written: io.StringIO) -> None:
    reason = await why(opened, issuer, written, OIDC_ISSUER=f"{issuer.url}/")
    assert reason == (
        "its name differs from EXPEDITER_OIDC_ISSUER: both have to be equal letter by letter, a slash at the end too"
    )


async def test_a_key_set_without_a_key_that_signs(opened: Opened, issuer: Issuer, written: io.StringIO) -> None:
    token = issuer.token("ann")
    issuer.keys = {}
    issuer.token = lambda *_, **__: token  # type: ignore[method-assign]
    assert await why(opened, issuer, written) == "its key set holds no key that signs"


async def test_an_issuer_that_is_away(opened: Opened, issuer: Issuer, written: io.StringIO) -> None:
    issuer.stop()
    assert await why(opened, issuer, written) == "it cannot be reached, or does not answer in time"


async def test_an_answer_of_another_form_is_not_quoted(
    opened: Opened, issuer: Issuer, written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issuer, "answer", lambda _: {"issuer": ["mallory@example.com"]})
    assert (await why(opened, issuer, written)).startswith("its answer does not have the form")
    assert "mallory" not in written.getvalue()
