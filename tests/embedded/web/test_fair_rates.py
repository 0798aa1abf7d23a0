"""Fair shares on the server: with the plain token beside a key, and without tokens from two addresses."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from expediter.embedded.web import app, shares
from tests.console.shop import Shop, served
from tests.embedded.web.access.callers import TOKEN, made_key
from tests.embedded.web.test_shares import ORDER
from tests.embedded.web.wire import Client

pytestmark = pytest.mark.anyio
ME, OTHER = "127.0.0.1", "127.0.0.2"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Two(NamedTuple):
    """Two callers, and how each shows on a websocket who he is: headers, and the address that he is at."""

    shop: Shop
    greedy: httpx.AsyncClient
    polite: httpx.AsyncClient
    options: list[dict[str, Any]]


@asynccontextmanager
async def two(tmp_path: Path, token: str) -> AsyncIterator[Two]:
    settings = {"TOKEN": token} if token else {}
    async with served(tmp_path, **settings) as shop:
        keys = ["", ""]
        if token:
            keys = [token, (await made_key(shop.client, ["orders:read", "orders:write"]))[1]]
        headers = [{"Authorization": f"Bearer {key}"} if key else {} for key in keys]
        addresses = [ME, ME if token else OTHER]
        options = [
            {"additional_headers": given, "local_addr": (address, 0)}
            for given, address in zip(headers, addresses, strict=True)
        ]
        clients = [
            httpx.AsyncClient(
                base_url=shop.url, headers=given, transport=httpx.AsyncHTTPTransport(local_address=address)
            )
            for given, address in zip(headers, addresses, strict=True)
        ]
        async with clients[0], clients[1]:
            yield Two(shop, clients[0], clients[1], options)


@pytest.fixture
def contended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests always have to wait, and one caller has few."""
    monkeypatch.setattr(app, "LATE", -1.0)
    monkeypatch.setattr(shares, "OF_PROGRAM", 6)
    monkeypatch.setattr(shares, "OF_PROGRAM_EACH_SECOND", 0.001)
    monkeypatch.setattr(shares, "PRESENT", 1_000.0)


def told(answer: httpx.Response) -> None:
    """It is refused with all that says when to come again."""
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.headers["RateLimit-Policy"] == '"requests";q=6'
    assert answer.headers["RateLimit"].startswith('"requests";r=0;t=')


Ask = Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]
REQUESTS: dict[str, Ask] = {
    "REST, a read": lambda client: client.get("/orders"),
    "REST, an order": lambda client: client.post("/orders", json=ORDER),
    "GraphQL": lambda client: client.post("/graphql", json={"query": "{ orders { id } }"}),
}


@pytest.mark.usefixtures("contended")
@pytest.mark.parametrize("how", REQUESTS)
@pytest.mark.parametrize("token", [TOKEN, ""], ids=["plain token", "no token"])
async def test_who_asks_for_more_than_his_share_is_told_and_others_and_probes_go_on(
    tmp_path: Path, token: str, how: str
) -> None:
    async with two(tmp_path, token) as (_, greedy, polite, _):
        ask = REQUESTS[how]
        assert (await ask(polite)).is_success
        answers = [await ask(greedy) for _ in range(8)]
        assert all(answer.is_success for answer in answers[:5])
        told(answers[-1])
        assert (await ask(polite)).is_success
        for path in ("/healthz", "/readyz"):
            assert (await greedy.get(path)).status_code == 200


@pytest.mark.usefixtures("contended")
async def test_pages_of_the_console_count_where_nobody_signs_in(tmp_path: Path) -> None:
    async with two(tmp_path, "") as (_, greedy, polite, _):
        assert (await polite.get("/console")).status_code == 200
        answers = [await greedy.get("/console") for _ in range(8)]
        told(answers[-1])
        assert (await polite.get("/console")).status_code == 200


@pytest.mark.usefixtures("contended")
async def test_pages_of_a_session_that_began_with_the_plain_token_count_as_its_requests(tmp_path: Path) -> None:
    async with two(tmp_path, TOKEN) as (shop, greedy, polite, _):
        await shop.client.post("/console/sign-in", data={"token": TOKEN, "name": "Ada"}, headers={"Origin": shop.url})
        assert (await polite.get("/orders")).status_code == 200
        assert [(await greedy.get("/orders")).status_code for _ in range(3)] == [200] * 3
        answers = [await shop.client.get("/console") for _ in range(5)]
        assert answers[0].status_code == 200
        told(answers[-1])
        told(await greedy.get("/orders"))
        assert (await polite.get("/orders")).status_code == 200


@pytest.mark.usefixtures("contended")
@pytest.mark.parametrize("token", [TOKEN, ""], ids=["plain token", "no token"])
async def test_operations_on_a_websocket_are_taken_from_the_share_of_its_caller(tmp_path: Path, token: str) -> None:
    async with two(tmp_path, token) as (shop, _, polite, options):
        assert (await polite.get("/orders")).status_code == 200
        url = shop.url.replace("http", "ws") + "/graphql"
        async with connect(url, subprotocols=["graphql-transport-ws"], **options[0]) as socket:  # type: ignore[list-item]
            await socket.send(json.dumps({"type": "connection_init"}))
            await socket.recv()
            kinds = []
            for number in range(8):
                query = {"type": "subscribe", "id": str(number), "payload": {"query": "{ orders { id } }"}}
                await socket.send(json.dumps(query))
                kinds.append(json.loads(await socket.recv()))
                if kinds[-1]["type"] == "next":
                    await socket.recv()
        assert kinds[0]["type"] == "next"
        assert kinds[-1]["payload"][0]["extensions"]["code"] == "TooManyRequests"
        assert (await polite.get("/orders")).status_code == 200


@pytest.mark.parametrize("token", [TOKEN, ""], ids=["plain token", "no token"])
async def test_one_caller_has_so_many_websockets_and_another_has_his_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setattr(shares, "SOCKETS_OF_PROGRAM", 2)
    monkeypatch.setattr(shares, "SOCKETS_OF_ADDRESS", 2)
    async with two(tmp_path, token) as (shop, _, _, options):
        url = shop.url.replace("http", "ws") + "/graphql"

        async def follow(whose: int) -> Any:
            return await connect(url, subprotocols=["graphql-transport-ws"], **options[whose])  # type: ignore[list-item]

        mine = [await follow(0) for _ in range(2)]
        with pytest.raises(InvalidStatus) as refused:
            await follow(0)
        assert refused.value.response.status_code == 429
        assert refused.value.response.headers["RateLimit-Policy"] == '"websockets";q=2'
        assert refused.value.response.headers["Retry-After"]
        for socket in (*mine, await follow(1)):
            await socket.close()


@pytest.mark.parametrize("token", [TOKEN, ""], ids=["plain token", "no token"])
async def test_one_caller_has_so_many_subscriptions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setattr(shares, "FOLLOWED_BY_PROGRAM", 2)
    async with two(tmp_path, token) as (shop, _, _, options):
        order_id = await shop.place()
        url = shop.url.replace("http", "ws") + "/graphql"
        query = f'subscription {{ orderUpdated(id: "{order_id}") {{ id }} }}'
        codes = []
        for whose in (0, 0, 1):
            socket = await connect(url, subprotocols=["graphql-transport-ws"], **options[whose])  # type: ignore[list-item]
            await socket.send(json.dumps({"type": "connection_init"}))
            await socket.recv()
            for number in range(2):
                asked = {"type": "subscribe", "id": str(number), "payload": {"query": query}}
                await socket.send(json.dumps(asked))
                answer = json.loads(await socket.recv())
                codes.append(answer["payload"][0]["extensions"]["code"] if answer["type"] == "error" else "next")
        assert codes == ["next", "next", "TooManyRequests", "TooManyRequests", "next", "next"]


@pytest.mark.parametrize("token", [TOKEN, ""], ids=["plain token", "no token"])
async def test_one_operator_has_so_many_live_pages_over_all_his_sessions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setattr(shares, "OF_OPERATOR", 3)
    monkeypatch.setattr(shares, "OF_SESSION", 2)
    async with two(tmp_path, token) as (shop, _, polite, _):

        async def follow(client: httpx.AsyncClient) -> httpx.Response:
            return await client.send(client.build_request("GET", "/console/live/orders"), stream=True)

        async def sign_in(client: httpx.AsyncClient, shown: str) -> None:
            if token:
                form = {"token": shown, "name": "Ada"}
                await client.post("/console/sign-in", data=form, headers={"Origin": shop.url})

        async def other_operator() -> None:
            if token:
                await sign_in(polite, (await made_key(shop.client, ["orders:read"]))[1])
            assert (await follow(polite)).status_code == 200

        async with AsyncExitStack() as browsers:
            answers: list[httpx.Response] = []
            for _ in range(2):
                browser = await browsers.enter_async_context(httpx.AsyncClient(base_url=shop.url))
                await sign_in(browser, token)
                answers += [await follow(browser) for _ in range(2)]
            assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
            assert answers[-1].headers["Retry-After"]
            assert answers[-1].headers["RateLimit-Policy"] == '"live-pages";q=3'
            await other_operator()


async def test_live_pages_that_are_asked_for_at_the_same_moment_take_no_more_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shares, "OF_OPERATOR", 3)
    async with served(tmp_path) as shop:
        port = int(shop.url.rpartition(":")[2])
        clients = [Client(*await asyncio.open_connection("127.0.0.1", port)) for _ in range(20)]
        for client in clients:
            client.writer.write(b"GET /console/live/orders HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        heads = [await client.head() for client in clients]
        for client in clients:
            client.writer.transport.abort()
        assert sorted(head.split()[1] for head in heads) == ["200"] * 3 + ["429"] * 17
