"""Behind nginx, which keeps its connections to us open: nobody's bytes become a request of somebody else."""

import asyncio
import re
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from expediter.api.request import Response
from expediter.embedded.web.http1.request_cycle import Answer
from expediter.embedded.web.http1.request_head import RequestHead
from tests.embedded.web.conftest import PLAIN, Opened
from tests.embedded.web.http1.feeding import silent_feeder
from tests.embedded.web.http1.proxy import proxied
from tests.embedded.web.http1.streams import stream
from tests.embedded.web.wire import Echo, connected, running

pytestmark = pytest.mark.anyio

TOKEN = "a-token-of-operators"  # opens nothing
SEEN = re.compile(rb"seen: (\d+);")
#: Streams through nginx, in the heavy test.
STREAMS = 3_000


@pytest.mark.parametrize("upgrade", [b"x", b"h2c", b"websocket"])
@pytest.mark.parametrize("framing", [b"Content-Length: %d", b"Transfer-Encoding: chunked"])
async def test_a_client_without_a_token_cannot_act_under_the_token_of_the_next_one(
    serving: Opened, tmp_path: Path, upgrade: bytes, framing: bytes
) -> None:
    token = {"Authorization": f"Bearer {TOKEN}"}
    async with serving(TOKEN=TOKEN) as served, proxied(tmp_path, served.port) as port:
        accepted = await served.client.post("/orders", json=PLAIN, headers=token)
        order = accepted.headers["Location"]
        begun = b"POST %b/cancel HTTP/1.1\r\nHost: localhost\r\nX: " % order.encode()
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(begun), begun) if b"chunked" in framing else begun
        line = framing % len(begun) if b"%d" in framing else framing
        async with connected(port) as attacker, connected(port) as victim:
            for _ in range(3):
                await attacker.says(
                    b"POST /healthz HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: %b\r\n%b\r\n\r\n"
                    % (upgrade, line)
                )
                await asyncio.sleep(0.05)  # so that the body comes in a segment of its own
                await attacker.says(body)
                await attacker.hears()
                await victim.says(
                    b"GET /orders HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %b\r\n\r\n" % TOKEN.encode()
                )

                assert await victim.hears() == [200]
        shown = (await served.client.get(order, headers=token)).json()
    assert shown["order_status"] in {"PENDING", "PAID"}


class Numbering(Echo):
    """Answers with the number of the request among all that it saw.

    In the head and in the body: to HEAD there is no body, and nginx answers a request of HTTP/0.9 without a head.
    """

    def answer(self, head: RequestHead, body: bytes) -> Answer:
        super().answer(head, body)
        number = len(self.asked)
        return Response(200, (("X-Seen", f"{number};"),), b"seen: %d;" % number)


@pytest.mark.heavy
async def test_no_stream_through_nginx_becomes_other_requests_than_nginx_sees(tmp_path: Path) -> None:
    """Each request that arrives was answered to its own client, and is the one that we see in the same stream."""
    echo, chance, feeder = Numbering(), Random(), silent_feeder()
    seed = chance.randrange(2**32)
    chance.seed(seed)
    async with running(echo) as server, proxied(tmp_path, server.port, "proxy_ignore_client_abort on;") as port:
        for number in range(STREAMS):
            echo.asked.clear()
            data = stream(chance)
            answers = await _answers(port, data)
            passed_on = [asked for asked in echo.asked if not asked[0].startswith("websocket ")]
            assert len(passed_on) == len(set(SEEN.findall(answers))), (seed, number, data)
            if b"upgrade" not in data.lower():  # nginx asks for a websocket then: we refuse what it has made of that
                both = list(zip(passed_on, feeder.feed([data]).requests, strict=False))
                assert all(theirs == ours for theirs, ours in both), (seed, number, data, both)
            echo.asked.clear()
            own = await _answers(port, b"GET /own HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert echo.asked == [("GET /own", b"")], (seed, number, data)
            assert SEEN.findall(own) == [b"1", b"1"], (seed, number, data)


async def _answers(port: int, data: bytes) -> bytes:
    async with connected(port) as client:
        with suppress(ConnectionError):
            await client.says(data)
            client.writer.write_eof()
        return await client.rest()
