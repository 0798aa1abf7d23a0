"""Fair shares: one caller cannot take what the others need, and is told when to come again."""

import asyncio
import re
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from expediter.api.errors import TooManyRequests, problem
from expediter.domain.errors import OrderError
from expediter.embedded.web.connections import Connections
from expediter.embedded.web.shares import (
    BURST,
    EACH_SECOND,
    FREE,
    LONGEST_WAIT,
    OF_LINK,
    REMEMBERED,
    STRANGERS,
    Places,
    Rate,
    SignIns,
)
from tests.console.shop import Shop, opened, served

pytestmark = pytest.mark.anyio
TOKEN = "a-long-random-secret"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def refused(call: object, *given: str) -> TooManyRequests:
    with pytest.raises(TooManyRequests) as error:
        call(*given)  # type: ignore[operator]
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


def test_callers_are_forgotten_before_they_fill_the_memory() -> None:
    rate, sign_ins = Rate("requests", 3, 2, Clock()), SignIns(Clock())
    for number in range(REMEMBERED + 10):
        rate.count(str(number))
        sign_ins.failed(str(number))

    assert len(rate._buckets) == len(sign_ins._failed) == REMEMBERED


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
    assert [record.message for record in caplog.records].count("somebody sent a token that is wrong") == FREE
    assert "guess" not in caplog.text


async def test_requests_without_the_right_token_are_bounded_and_those_with_it_are_not(tmp_path: Path) -> None:
    async with opened(tmp_path, TOKEN=TOKEN) as shop:
        codes = [(await shop.client.get("/orders")).status_code for _ in range(BURST + 20)]
        assert set(codes[:BURST]) == {401}
        assert codes[-1] == 429
        right = {"Authorization": f"Bearer {TOKEN}"}
        assert {(await shop.client.get("/orders", headers=right)).status_code for _ in range(BURST + 20)} == {200}
        assert (await shop.client.get("/readyz")).status_code == 200
        assert EACH_SECOND < BURST


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


# ── connections ───────────────────────────────────────────────────────────────────────────────────────────────────


class Line:
    """A connection that somebody at an address holds open."""

    def __init__(self, peer: str) -> None:
        self.peer = peer
        self.told = ""

    @property
    def given_up(self) -> bool:
        return bool(self.told)

    def give_up(self, error: OrderError, /) -> None:
        self.told = error.name


def idle(connections: Connections, peer: str, count: int) -> list[Line]:
    """Connections that owe us a request, the first one longest."""
    lines = [Line(peer) for _ in range(count)]
    for line in lines:
        connections.opened(line)
        connections.owes(line)
    return lines


async def test_who_has_the_most_connections_makes_room_for_everybody_else() -> None:
    connections = Connections(10)
    first = idle(connections, "192.0.2.1", 1)
    many = idle(connections, "203.0.113.1", 9)
    idle(connections, "192.0.2.2", 1)
    assert [line.given_up for line in many] == [True] + [False] * 8
    assert not first[0].given_up

    more = idle(connections, "203.0.113.1", 3)
    assert [line.given_up for line in many] == [True] * 4 + [False] * 5
    assert not any(line.given_up for line in (*first, *more))
    assert len(connections) == 10


async def test_a_caller_with_too_many_that_are_all_busy_gets_no_more_and_takes_nobodys() -> None:
    connections = Connections(10)
    others = idle(connections, "192.0.2.1", 2)
    for _ in range(8):
        connections.opened(Line("2001:db8::1"))
    late = Line("2001:db8::2")  # of the same /64
    connections.opened(late)

    assert late.told == "TooManyRequests"
    assert not any(line.given_up for line in others)


async def test_among_equals_who_has_been_idle_longest_makes_room() -> None:
    connections = Connections(4)
    lines = [idle(connections, f"192.0.2.{number}", 1)[0] for number in range(5)]

    assert [line.told for line in lines] == ["TooBusy", "", "", "", ""]


async def test_a_connection_that_closes_twice_is_counted_once() -> None:
    connections = Connections(2)
    (line,) = idle(connections, "192.0.2.1", 1)
    connections.closed(line)
    connections.closed(line)

    assert not connections._of
