"""Fair shares: one caller cannot take what the others need, and is told when to come again."""

import asyncio
import json
import re
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from expediter.api.errors import TooManyRequests, problem
from expediter.app.ports import Caller
from expediter.embedded.web import shares
from expediter.embedded.web.shares import (
    BURST,
    EACH_SECOND,
    FREE,
    LONGEST_WAIT,
    OF_LINK,
    OF_PROGRAM,
    OF_USER,
    REMEMBERED,
    SOCKETS_OF_USER,
    STRANGERS,
    Pace,
    Places,
    Rate,
    Shares,
    SignIns,
)
from tests.console.shop import Shop, opened, served
from tests.embedded.web.access.callers import TOKEN, made_key

pytestmark = pytest.mark.anyio
ORDER = {"user_id": "u", "quantity": 1, "restaurant_id": "r"}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def refused(call: Callable[..., object], *given: object) -> TooManyRequests:
    with pytest.raises(TooManyRequests) as error:
        call(*given)
    return error.value


# ── the bounds themselves ─────────────────────────────────────────────────────────────────────────────────────────


def test_one_caller_takes_his_places_and_the_others_have_theirs() -> None:
    places = Places("pages", each=2, in_all=3)
    with places.held("a"):
        with places.held("a"):
            refused(places.check, "a")
            places.check("b")
            with places.held("b"):
                refused(places.check, "c")
            places.check("c")
        places.check("a")


def test_requests_come_at_once_up_to_the_burst_and_then_at_a_rate() -> None:
    clock = Clock()
    rate = Rate("requests", burst=3, each_second=2, clock=clock)
    for _ in range(3):
        rate.count("a")
    assert refused(rate.count, "a").seconds == 1
    rate.count("b")
    clock.now = 0.5
    rate.count("a")
    refused(rate.count, "a")
    clock.now = 60
    for _ in range(3):
        rate.count("a")
    refused(rate.count, "a")


def test_answers_are_sent_at_once_up_to_a_number_and_then_one_after_the_other() -> None:
    clock = Clock()
    pace = Pace(at_once=2, each_second=4, longest=1, clock=clock)
    assert [pace.wait("a") for _ in range(8)] == [0, 0, 0.25, 0.5, 0.75, 1, 1, 1]
    assert pace.wait("b") == 0
    clock.now = 0.5
    assert pace.wait("a") == 0.75
    clock.now = 60
    assert [pace.wait("a") for _ in range(3)] == [0, 0, 0.25]


def test_callers_are_forgotten_before_they_fill_the_memory() -> None:
    rate, sign_ins, pace = Rate("requests", 3, 2, Clock()), SignIns(Clock()), Pace(1, 1, 1, Clock())
    for number in range(REMEMBERED + 10):
        rate.count(str(number))
        sign_ins.failed(str(number))
        pace.wait(str(number))

    assert len(rate._buckets) == len(sign_ins._failed) == len(pace._last) == REMEMBERED


def test_sign_ins_that_fail_wait_twice_as_long_each_time_up_to_a_minute() -> None:
    clock, waits = Clock(), []
    sign_ins = SignIns(clock)
    for _ in range(FREE + 9):
        sign_ins.check("a")
        sign_ins.failed("a")
        try:
            sign_ins.check("a")
            waits.append(0)
        except TooManyRequests as error:
            waits.append(error.seconds)
        clock.now += waits[-1]

    assert waits == [0] * (FREE - 1) + [1, 2, 4, 8, 16, 32, *[LONGEST_WAIT] * 4]
    sign_ins.check("b")
    sign_ins.succeeded("a")
    sign_ins.failed("a")
    sign_ins.check("a")


def test_a_refusal_says_when_to_come_again_and_what_the_bound_is() -> None:
    response = problem(TooManyRequests("requests", 100, 7))

    assert response.status == 429
    assert dict(response.headers) == {
        "Content-Type": "application/problem+json",
        "Retry-After": "7",
        "RateLimit-Policy": '"requests";q=100',
        "RateLimit": '"requests";r=0;t=7',
    }


# ── on the server ─────────────────────────────────────────────────────────────────────────────────────────────────


async def test_guesses_at_the_sign_in_are_slowed_counted_and_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(tmp_path, TOKEN=TOKEN) as shop:
        codes = [
            (await shop.client.post("/console/sign-in", data={"token": f"guess {number}", "name": "Eve"})).status_code
            for number in range(FREE + 5)
        ]
        assert codes == [401] * FREE + [429] * 5
        late = await shop.client.post("/console/sign-in", data={"token": TOKEN, "name": "Ada"})
        assert (late.status_code, late.headers["Retry-After"]) == (429, "1")
        assert f"expediter_sign_ins_failed_total {FREE}.0".encode() in shop.home.metrics()
    assert [record.message for record in caplog.records].count("a request had a wrong token") == FREE
    assert "guess" not in caplog.text


async def test_requests_without_the_right_token_are_bounded_and_those_with_a_key_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shares, "OF_PROGRAM", BURST + 30)
    monkeypatch.setattr(shares, "OF_PROGRAM_EACH_SECOND", 0.001)
    async with opened(tmp_path, TOKEN=TOKEN) as shop:
        codes = [(await shop.client.get("/orders")).status_code for _ in range(BURST + 20)]
        assert set(codes[:BURST]) == {401}
        assert codes[-1] == 429
        assert EACH_SECOND < BURST

        _, key = await made_key(shop.client, ["orders:read", "orders:write"])

        async def ask(method: str = "GET", path: str = "/orders", **given: Any) -> httpx.Response:
            return await shop.client.request(method, path, headers={"Authorization": f"Bearer {key}"}, **given)

        assert {(await ask()).status_code for _ in range(BURST + 30)} == {200}
        refused = [await ask(), await ask("POST", json=ORDER), await ask("POST", "/graphql", json={"query": "{a}"})]
        for answer in refused:
            assert (answer.status_code, answer.json()["error"]) == (429, "TooManyRequests")
            assert int(answer.headers["Retry-After"]) > 0
            assert answer.headers["RateLimit-Policy"] == f'"requests";q={BURST + 30}'
            assert answer.headers["RateLimit"].startswith('"requests";r=0;t=')
        assert (await shop.client.get("/readyz")).status_code == 200


def test_each_user_and_each_key_has_a_bound_of_its_own() -> None:
    found = Shares(Clock())
    callers = [
        (Caller(user_id="Ada", operator=False), OF_USER),
        (Caller(user_id="Bob", operator=False), OF_USER),
        (Caller(name="shop (exp_1)"), OF_PROGRAM),
        (Caller(name="shop (exp_2)"), OF_PROGRAM),
    ]
    for caller, burst in callers:
        for number in range(burst):
            found.count(caller, f"192.0.2.{number % 200}")
        refused(found.count, caller, "192.0.2.1")


def test_one_user_takes_some_websockets_and_programs_have_theirs() -> None:
    found = Shares(Clock())
    ada = Caller(user_id="Ada", operator=False)
    with ExitStack() as open_:
        for _ in range(SOCKETS_OF_USER):
            open_.enter_context(found.socket(ada, ""))
        refused(found.socket, ada, "")
        open_.enter_context(found.socket(Caller(user_id="Bob", operator=False), ""))
        open_.enter_context(found.socket(Caller(), "192.0.2.1"))
    with found.socket(ada, ""):
        pass


async def test_operations_on_a_websocket_are_counted_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shares, "OF_PROGRAM", 3)
    monkeypatch.setattr(shares, "OF_PROGRAM_EACH_SECOND", 0.001)
    monkeypatch.setattr(shares, "SOCKETS_OF_PROGRAM", 1)
    async with served(tmp_path, TOKEN=TOKEN) as shop:
        url = shop.url.replace("http", "ws") + "/graphql"
        _, key = await made_key(shop.client, ["orders:read"])
        init = {"type": "connection_init", "payload": {"authorization": f"Bearer {key}"}}
        async with connect(url, subprotocols=["graphql-transport-ws"]) as socket:  # type: ignore[list-item]
            await socket.send(json.dumps(init))
            assert json.loads(await socket.recv())["type"] == "connection_ack"
            kinds = []
            for number in range(5):
                asked = {"type": "subscribe", "id": str(number), "payload": {"query": "{ orders { id } }"}}
                await socket.send(json.dumps(asked))
                kinds.append(json.loads(await socket.recv()))
                if kinds[-1]["type"] == "next":
                    await socket.recv()
            assert [it["type"] for it in kinds] == ["next"] * 3 + ["error"] * 2
            assert kinds[-1]["payload"][0]["extensions"]["code"] == "TooManyRequests"
            async with connect(url, subprotocols=["graphql-transport-ws"]) as second:  # type: ignore[list-item]
                await second.send(json.dumps(init))
                with pytest.raises(ConnectionClosed) as closed:
                    await second.recv()
                assert closed.value.rcvd
                assert closed.value.rcvd.code == 4429


async def test_one_session_takes_some_live_pages_and_another_has_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shares, "OF_SESSION", 2)
    async with served(tmp_path, TOKEN=TOKEN) as shop:
        form = {"token": TOKEN, "name": "Ada"}

        async def follow(client: httpx.AsyncClient) -> int:
            return (await client.send(client.build_request("GET", "/console/live/orders"), stream=True)).status_code

        for _ in range(2):
            async with httpx.AsyncClient(base_url=shop.url) as browser:
                await browser.post("/console/sign-in", data=form, headers={"Origin": shop.url})
                assert [await follow(browser) for _ in range(3)] == [200, 200, 429]


async def link_of(shop: Shop) -> str:
    order_id = await shop.place()
    await shop.home.write(lambda work: None, "look")
    page = await shop.page(f"/console/orders/{order_id}")
    found = re.search(r'href="(/o/[^"]+)"', page)
    assert found
    return found[1]


async def test_the_link_of_one_order_takes_ten_live_pages_and_operators_have_places_of_their_own(
    tmp_path: Path,
) -> None:
    async with served(tmp_path) as shop, httpx.AsyncClient(base_url=shop.url) as customer:
        first, second = await link_of(shop), await link_of(shop)

        async def follow(link: str) -> int:
            request = customer.build_request("GET", f"{link}/live")
            answer = await customer.send(request, stream=True)
            return answer.status_code

        assert [await follow(first) for _ in range(OF_LINK + 2)] == [200] * OF_LINK + [429] * 2
        assert await follow(second) == 200
        operator = shop.client.build_request("GET", "/console/live/orders")
        assert (await shop.client.send(operator, stream=True)).status_code == 200


async def test_a_live_page_that_is_closed_gives_its_place_back(tmp_path: Path) -> None:
    async with served(tmp_path) as shop, httpx.AsyncClient(base_url=shop.url) as customer:
        link = await link_of(shop)
        for _ in range(OF_LINK + 5):
            async with asyncio.timeout(10):
                while True:
                    async with customer.stream("GET", f"{link}/live") as answer:
                        if answer.status_code == 200:
                            break
                        await shop.home.write(lambda work: None, "look")


async def test_websockets_without_a_token_are_bounded_per_address_and_operators_get_theirs(tmp_path: Path) -> None:
    async with served(tmp_path, TOKEN=TOKEN) as shop:
        url = shop.url.replace("http", "ws") + "/graphql"
        open_ = [await connect(url, subprotocols=["graphql-transport-ws"]) for _ in range(STRANGERS)]  # type: ignore[list-item]
        with pytest.raises(InvalidStatus) as refusal:
            await connect(url, subprotocols=["graphql-transport-ws"])  # type: ignore[list-item]
        assert refusal.value.response.status_code == 429
        assert refusal.value.response.headers["Retry-After"]
        right = {"Authorization": f"Bearer {TOKEN}"}
        operator = await connect(url, subprotocols=["graphql-transport-ws"], additional_headers=right)  # type: ignore[list-item]
        for socket in (operator, *open_):
            await socket.close()
