"""A form that is sent twice, as by a double click, acts once; the second answer is the first's result."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from demo.mailserver import MailServer, receiving
from expediter.console.routes import ROUTES
from expediter.domain.errors import TooBusy
from expediter.domain.order import Status
from expediter.embedded.clock import new_id
from tests.console.shop import Shop, alarmed, served
from tests.support.town import Act, Town, standing

pytestmark = pytest.mark.anyio

ORDER = {"scenario": "normal", "user_id": "a", "restaurant_id": "b", "name": "Burger", "quantity": "2"}
LETTERS = "/console/dead-letters"


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    with standing() as found:
        yield found


@pytest.fixture(scope="module")
def mail_server() -> Iterator[str]:
    with receiving(MailServer()) as url:
        yield url


@asynccontextmanager
async def shopping(folder: Path, town: Town, **settings: str) -> AsyncIterator[Shop]:
    async with served(folder, **{"HOLD_SECONDS": "0", **settings}, **town.settings) as shop:
        yield shop


async def twice(shop: Shop, path: str, page: str, **fields: str) -> list[httpx.Response]:
    """Sends one form twice at once, on two connections, and once more when both are answered."""
    token = re.search(rf'action="{re.escape(path)}">.*?name="csrf" value="([^"]+)"', await shop.page(page), re.DOTALL)
    assert token, "the page has no such form"
    form = {"csrf": token[1], **fields}
    at_once = await asyncio.gather(*(shop.client.post(path, data=form) for _ in range(2)))
    return [*at_once, await shop.client.post(path, data=form)]


async def acts(shop: Shop) -> list[str]:
    """What the audit says was done by whoever sent forms, the newest first."""
    page = shop.home.read_as_operator(lambda services: services.audit.page(50))
    return [entry.kind for entry in page]


def leads_to(answers: list[httpx.Response]) -> str:
    """Where every answer leads; all are the same."""
    assert {answer.status_code for answer in answers} == {303}
    (place,) = {answer.headers["Location"] for answer in answers}
    return place.partition("?")[0]


async def ended(shop: Shop, order_id: str) -> None:
    await shop.until(order_id, Status.SUCCESS, Status.FAILED, Status.CANCELLED)


def orders(shop: Shop) -> int:
    return sum(shop.home.read_as_operator(lambda services: services.flow.counts()).values())


async def test_an_order_is_placed_once(tmp_path: Path, town: Town) -> None:
    async with shopping(tmp_path, town) as shop:
        answers = await twice(shop, "/console/orders", "/console/orders/new", **ORDER)
        order_id = leads_to(answers).rpartition("/")[2]
        await ended(shop, order_id)

        assert (orders(shop), town.moves(order_id)) == (1, ["charge"])
        assert await acts(shop) == ["placed it"]


async def test_the_same_order_is_placed_again_once(tmp_path: Path, town: Town) -> None:
    async with shopping(tmp_path, town) as shop:
        old = await shop.place()
        await ended(shop, old)
        answers = await twice(shop, f"/console/orders/{old}/again", f"/console/orders/{old}")
        await ended(shop, leads_to(answers).rpartition("/")[2])

        assert orders(shop) == 2
        assert await acts(shop) == ["placed it", "ordered it again"]


@pytest.mark.parametrize("act", ["cancel", "revoke-links"])
async def test_an_act_on_an_order_is_done_once(tmp_path: Path, town: Town, act: str) -> None:
    async with shopping(tmp_path, town, HOLD_SECONDS="600") as shop:
        order_id = await shop.place()
        await shop.until(order_id, Status.PAID)
        answers = await twice(shop, f"/console/orders/{order_id}/{act}", f"/console/orders/{order_id}")

        assert leads_to(answers) == f"/console/orders/{order_id}"
        assert len(await acts(shop)) == 1


async def test_a_workflow_is_retried_once(tmp_path: Path, town: Town) -> None:
    """The second post would find a workflow that goes on, and be told 409."""
    async with shopping(tmp_path, town, WORKFLOW=alarmed(tmp_path)) as shop:
        order_id = new_id()
        town.bank.script("charge", Act.FAIL, order_id=order_id)
        await shop.place(order_id)
        page = f"/console/orders/{order_id}"
        await shop.until_page(page, "Retry from ProcessPayment")
        given = {"state": "ProcessPayment", "input": f'{{"order": {{"id": "{order_id}"}}, "hold_seconds": 0}}'}
        answers = await twice(shop, f"{page}/retry", page, **given)
        await ended(shop, order_id)

        assert leads_to(answers) == page
        assert (await acts(shop), town.moves(order_id)) == (["retried it"], ["charge"])


@pytest.mark.parametrize("act", ["redrive", "delete"])
async def test_a_dead_letter_is_moved_once_and_the_second_caller_gets_not_found(
    tmp_path: Path, town: Town, act: str
) -> None:
    async with shopping(tmp_path, town) as shop:
        letter = await shop.bury(b"{}")
        answers = await twice(shop, f"{LETTERS}/{letter}/{act}", LETTERS)

        assert leads_to(answers) == LETTERS
        assert len(await acts(shop)) == 1


async def test_all_dead_letters_are_moved_once(tmp_path: Path, town: Town) -> None:
    async with shopping(tmp_path, town) as shop:
        await shop.bury(b"{}")
        answers = await twice(shop, f"{LETTERS}/redrive", LETTERS)

        assert leads_to(answers) == LETTERS
        assert await acts(shop) == ["redrove all"]


async def test_a_dead_letter_is_corrected_into_one_order(tmp_path: Path, town: Town) -> None:
    async with shopping(tmp_path, town) as shop:
        letter = f"{LETTERS}/{await shop.bury(b'{}')}"
        body = '{"user_id":"a","restaurant_id":"R","quantity":1}'
        answers = await twice(shop, f"{letter}/correct", letter, body=body)
        order_id = leads_to(answers).rpartition("/")[2]
        await ended(shop, order_id)

        assert (orders(shop), town.moves(order_id)) == (1, ["charge"])


async def test_a_mail_is_sent_once_more_not_twice(tmp_path: Path, town: Town, mail_server: str) -> None:
    async with shopping(tmp_path, town, SMTP_URL=mail_server) as shop:
        order_id = await shop.place(email="guest@example.com")
        await ended(shop, order_id)
        page = f"/console/mailbox/{order_id}?status=SUCCESS&to=guest%40example.com"
        fields = {"status": "SUCCESS", "to": "guest@example.com"}
        answers = await twice(shop, f"/console/mailbox/{order_id}/resend", page, **fields)

        assert leads_to(answers) == f"/console/orders/{order_id}"
        assert await acts(shop) == ["had a mail resent"]


def test_every_act_of_the_console_is_sent_twice_above() -> None:
    text = Path(__file__).read_text()
    for path in (path for (_, path), route in ROUTES.items() if route.writes):
        last = path.rpartition("/")[2]
        assert f'"{last}"' in text or f"/{last}" in text, path


async def test_two_forms_are_two_acts_and_so_is_one_with_another_content(tmp_path: Path, town: Town) -> None:
    async with shopping(tmp_path, town) as shop:
        for _ in range(2):
            await shop.send("/console/orders", **ORDER)
        token = re.search(r'name="csrf" value="([^"]+)"', await shop.page("/console/orders/new"))
        assert token
        for quantity in ("2", "3"):
            await shop.client.post("/console/orders", data={**ORDER, "csrf": token[1], "quantity": quantity})

        assert await acts(shop) == ["placed it"] * 4


async def test_a_form_whose_act_failed_can_be_sent_again(
    tmp_path: Path, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with shopping(tmp_path, town) as shop:
        token = re.search(r'name="csrf" value="([^"]+)"', await shop.page("/console/orders/new"))
        assert token
        form = {**ORDER, "csrf": token[1]}

        async def busy(*_: object) -> None:
            raise TooBusy

        with monkeypatch.context() as patch:
            patch.setattr(shop.home, "write_as_operator", busy)
            assert (await shop.client.post("/console/orders", data=form)).status_code == 503
        assert (await shop.client.post("/console/orders", data=form)).status_code == 303
        assert await acts(shop) == ["placed it"]


async def test_a_form_of_an_earlier_process_is_refused_and_orders_nothing(tmp_path: Path, town: Town) -> None:
    async with shopping(tmp_path, town) as shop:
        token = re.search(r'name="csrf" value="([^"]+)"', await shop.page("/console/orders/new"))
        assert token
        form = {**ORDER, "csrf": token[1]}
        assert (await shop.client.post("/console/orders", data=form)).status_code == 303
        cookies = shop.client.cookies
    async with shopping(tmp_path, town) as shop:
        shop.client.cookies = cookies
        refused = await shop.client.post("/console/orders", data=form)

        assert refused.status_code == 403
        assert "see whether it was done" in refused.text
        assert await acts(shop) == ["placed it"]
