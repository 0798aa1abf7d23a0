"""The plain token, and addresses where no token is needed: as much as one likes, until others ask and have to wait."""

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

from expediter.api.errors import TooManyRequests
from expediter.app.ports import Caller
from expediter.domain.errors import TooBusy
from expediter.embedded.web import app, shares
from expediter.embedded.web.shares import CROWDED, OF_PROGRAM, OF_USER, RESERVED, Shares
from tests.console.shop import Shop, served
from tests.embedded.web.access.callers import TOKEN, made_key
from tests.embedded.web.test_shares import ORDER, Clock
from tests.embedded.web.wire import Client

pytestmark = pytest.mark.anyio
ME, OTHER = "127.0.0.1", "127.0.0.2"
PLAIN, KEY = Caller(), Caller(name="shop (exp_1)")
ADA = Caller(user_id="Ada", operator=False)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Server:
    """How much the server has to do."""

    room = 0.0
    contended = False

    def shares(self, clock: Clock, *, signs_in: bool = True) -> Shares:
        return Shares(clock, signs_in=signs_in, room_taken=lambda: self.room, contended=lambda: self.contended)


def refusal(call: Callable[..., object], *given: object) -> TooManyRequests:
    with pytest.raises(TooManyRequests) as error:
        call(*given)
    return error.value


# ── the rule ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_plain_token_alone_may_send_as_much_as_the_server_takes() -> None:
    server = Server()
    server.contended = True
    found = server.shares(Clock())
    for _ in range(5 * OF_PROGRAM):
        found.count(PLAIN, ME)


@pytest.mark.parametrize("signs_in", [True, False])
def test_while_others_ask_and_have_to_wait_one_caller_has_his_own_rate_and_no_more(signs_in: bool) -> None:
    server, clock = Server(), Clock()
    found = server.shares(clock, signs_in=signs_in)
    other = (KEY, ME) if signs_in else (PLAIN, OTHER)
    for _ in range(2 * OF_PROGRAM):
        found.count(PLAIN, ME)
    found.count(*other)
    found.count(PLAIN, ME)  # nobody has to wait
    server.contended = True
    assert refusal(found.count, PLAIN, ME).seconds == 1
    found.count(*other)
    clock.now = 0.5
    for _ in range(OF_PROGRAM // 2):
        found.count(PLAIN, ME)
    refusal(found.count, PLAIN, ME)
    clock.now = 2.5  # nobody else has asked for a second
    for _ in range(2 * OF_PROGRAM):
        found.count(PLAIN, ME)


def test_the_plain_token_is_one_caller_wherever_it_is_and_without_tokens_each_address_is_one() -> None:
    for signs_in, refused in ((True, True), (False, False)):
        server = Server()
        server.contended = True
        found = server.shares(Clock(), signs_in=signs_in)
        for _ in range(OF_PROGRAM):
            found.count(PLAIN, ME)
        found.count(KEY, "192.0.2.1")
        if refused:
            refusal(found.count, PLAIN, OTHER)
        else:
            found.count(PLAIN, OTHER)


@pytest.mark.parametrize("caller", [PLAIN, KEY])
def test_when_many_requests_wait_to_be_written_who_sends_most_is_refused_and_others_are_not(caller: Caller) -> None:
    server = Server()
    found = server.shares(Clock())
    for _ in range(OF_PROGRAM // 2 + 1):
        found.count(caller, ME)
    server.room = CROWDED
    refusal(found.count, caller, ME)
    found.count(Caller(name="quiet (exp_2)"), ME)
    found.count(ADA, ME)


def test_the_last_places_are_for_programs_and_operators() -> None:
    server = Server()
    server.room = RESERVED
    found = server.shares(Clock())
    with pytest.raises(TooBusy):
        found.count(ADA, ME)
    found.count(KEY, ME)
    found.count(PLAIN, ME)


def test_reports_on_tasks_have_a_rate_of_their_own_by_address() -> None:
    server = Server()
    server.contended = True
    found = server.shares(Clock())
    for _ in range(2 * OF_PROGRAM):
        found.count_reporter(ME)
    found.count_reporter(OTHER)
    found.count(PLAIN, ME)


def test_a_user_is_bounded_whatever_there_is_to_do() -> None:
    found = Server().shares(Clock())
    for _ in range(OF_USER):
        found.count(ADA, ME)
    refusal(found.count, ADA, ME)


# ── on the server: with the plain token beside a key, and without tokens from two addresses ──────────────────────


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
