"""What counts as a request beside REST: pages of the console, and greetings of websockets."""

import json
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from expediter.embedded.web import shares
from expediter.embedded.web.shares import BURST
from tests.console.shop import opened, served
from tests.embedded.web.access.callers import TOKEN, made_key

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_pages_of_the_console_without_a_session_count_as_a_stranger_s_requests(tmp_path: Path) -> None:
    async with opened(tmp_path, TOKEN=TOKEN) as shop:
        made_up = [{"Cookie": f"expediter_session=guess-{number}"} for number in range(BURST + 20)]
        codes = [(await shop.client.get("/console", headers=headers)).status_code for headers in made_up]
        assert set(codes[:BURST]) == {401}
        assert codes[-1] == 429
        assert (await shop.client.get("/orders")).status_code == 429


async def test_pages_of_a_session_are_taken_from_the_share_that_its_key_has_over_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shares, "OF_PROGRAM", 6)
    monkeypatch.setattr(shares, "OF_PROGRAM_EACH_SECOND", 0.001)
    async with opened(tmp_path, TOKEN=TOKEN) as shop:
        _, key = await made_key(shop.client, ["orders:read"])
        await shop.client.post("/console/sign-in", data={"token": key, "name": ""})
        shown = {"Authorization": f"Bearer {key}"}
        assert {(await shop.client.get("/orders", headers=shown)).status_code for _ in range(3)} == {200}
        assert [(await shop.client.get("/console")).status_code for _ in range(4)] == [200] * 3 + [429]
        assert (await shop.client.get("/console/live/orders")).status_code == 429
        assert (await shop.client.get("/orders", headers=shown)).status_code == 429


async def _more_than_may_be(url: str) -> None:
    for _ in range(40):
        await (await connect(url, subprotocols=["graphql-transport-ws"])).close()  # type: ignore[list-item]


async def test_handshakes_of_websockets_without_a_right_token_count_as_a_stranger_s_requests(tmp_path: Path) -> None:
    async with served(tmp_path, TOKEN=TOKEN) as shop:
        url = shop.url.replace("http", "ws") + "/graphql"
        codes = []
        for number in range(BURST):
            wrong = {"type": "connection_init", "payload": {"authorization": f"Bearer guess-{number}"}}
            async with connect(url, subprotocols=["graphql-transport-ws"]) as socket:  # type: ignore[list-item]
                await socket.send(json.dumps(wrong))
                with pytest.raises(ConnectionClosed) as closed:
                    await socket.recv()
                assert closed.value.rcvd
                codes.append(closed.value.rcvd.code)
        assert set(codes) == {4403}
        with pytest.raises(InvalidStatus) as refused:
            await _more_than_may_be(url)
        assert refused.value.response.status_code == 429
        assert refused.value.response.headers["RateLimit-Policy"] == f'"requests";q={BURST}'
        right = {"Authorization": f"Bearer {TOKEN}"}
        async with connect(url, subprotocols=["graphql-transport-ws"], additional_headers=right) as socket:  # type: ignore[list-item]
            await socket.send(json.dumps({"type": "connection_init"}))
            assert json.loads(await socket.recv())["type"] == "connection_ack"
