"""Orders that are paid by Stripe, against localstripe: the money in its books is what the order's state says."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from demo.behaviour import LOSSES, Act
from expediter.app.operator.services import ReceivedEvent
from expediter.cli.provider import Provider, against_provider
from expediter.domain.errors import OrderInvalid, RefundNotPossible
from expediter.domain.order import AwaitedPayment
from expediter.embedded.clock import new_id
from tests.support.stage import MINUTE, Stage, opened, story
from tests.support.stripe import ASKING, DECLINING, Front, stripe
from tests.support.town import Town

pytestmark = pytest.mark.heavy

KEY = "sk_test_expediter"
VISA = "pm_card_visa"
CHARGED, BACK = ("charge", 3000), ("refund", 3000)


@pytest.fixture(scope="module")
def standing() -> Iterator[tuple[Front, str]]:
    with stripe(KEY) as opened_front:
        yield opened_front


@pytest.fixture
def front(standing: tuple[Front, str]) -> Front:
    standing[0].forget()
    return standing[0]


@pytest.fixture
def url(standing: tuple[Front, str]) -> str:
    return standing[1]


def everything_in(folder: Path) -> bytes:
    """What is written in its files."""
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())


@asynccontextmanager
async def shop(folder: Path, town: Town, url: str, **settings: str) -> AsyncIterator[Stage]:
    ways = {"PAYMENTS": "stripe", "STRIPE_URL": url, "STRIPE_KEY": KEY, "RESTAURANT": town.settings["RESTAURANT"]}
    async with opened(folder, None, None, **{"HOLD_SECONDS": "0", **ways, **settings}) as stage:
        yield stage
        ours = stage.home.read(lambda work: list(work.orders.with_entries()))
        assert against_provider(lambda: iter(ours), Provider(url, KEY, stripe=True)).clean


@story
async def test_an_order_is_paid_once_and_its_token_is_in_no_answer(
    tmp_path: Path, town: Town, front: Front, url: str
) -> None:
    async with shop(tmp_path, town, url) as stage:
        order_id = await stage.place(payment_method=VISA)
        order = await stage.to_the_end(order_id)

        assert (order.status, stage.held(order_id)) == ("SUCCESS", 3000)
        assert front.moves(order_id) == [CHARGED]
        (intent,) = front.intents()
        assert intent["metadata"] == {"order_id": order_id, "charge_key": f"{order_id}/charge"}
        assert [entry.reference for entry in stage.entries(order_id)] == [intent["id"]]


@pytest.mark.parametrize("method", [DECLINING, None])
@story
async def test_an_order_that_cannot_be_paid_fails_and_nothing_is_owed(
    tmp_path: Path, town: Town, front: Front, url: str, method: str | None
) -> None:
    async with shop(tmp_path, town, url) as stage:
        order_id = await stage.place(**({"payment_method": method} if method else {}))
        order = await stage.to_the_end(order_id)

        assert (order.status, stage.held(order_id), front.moves(order_id)) == ("FAILED", 0, [])


@pytest.mark.parametrize("paid", [True, False])
@story
async def test_a_card_that_asks_for_its_customer_is_waited_for(
    tmp_path: Path, town: Town, front: Front, url: str, paid: bool
) -> None:
    async with shop(tmp_path, town, url) as stage:
        order_id = await stage.place(payment_method=front.card(ASKING))
        awaited = stage.order(order_id).awaited_payment
        assert isinstance(awaited, AwaitedPayment)
        assert "_secret_" in (awaited.client_secret or "")

        front.complete(order_id, paid=paid)
        await stage.come_back(order_id)
        order = await stage.to_the_end(order_id)

        assert order.status == ("SUCCESS" if paid else "FAILED")
        assert front.moves(order_id) == ([CHARGED] if paid else [])


@story
async def test_a_card_whose_customer_never_answers_cannot_be_charged_when_its_time_is_over(
    tmp_path: Path, town: Town, front: Front, url: str
) -> None:
    async with shop(tmp_path, town, url) as stage:
        order_id = await stage.place(payment_method=front.card(ASKING))
        order = await stage.to_the_end(order_id)
        front.complete(order_id)

        assert (order.status, order.error_message) == ("FAILED", "The payment was not completed in time.")
        assert [it["status"] for it in front.intents()] == ["canceled"]


@pytest.mark.parametrize("loss", [*LOSSES, Act.FAIL, Act.BUSY])
@story
async def test_an_answer_that_gets_lost_neither_charges_twice_nor_loses_the_order(
    tmp_path: Path, town: Town, front: Front, url: str, loss: Act
) -> None:
    front.script("charge", loss)
    async with shop(tmp_path, town, url) as stage:
        order_id = await stage.place(payment_method=VISA)
        order = await stage.to_the_end(order_id)

        assert (order.status, front.moves(order_id)) == ("SUCCESS", [CHARGED])


@pytest.mark.parametrize("act", [Act.OK, Act.FAIL, Act.LOSE])
@story
async def test_a_refusal_of_the_restaurant_gives_the_money_back_once(
    tmp_path: Path, town: Town, front: Front, url: str, act: Act
) -> None:
    front.script("refund", act)
    order_id = new_id()
    town.kitchen.script("handover", Act.REFUSE, order_id=order_id)
    async with shop(tmp_path, town, url) as stage:
        await stage.place(order_id, payment_method=VISA)
        order = await stage.to_the_end(order_id)

        assert (order.status, stage.held(order_id)) == ("FAILED", 0)
        assert front.moves(order_id) == [CHARGED, BACK]


@story
async def test_a_lost_charge_that_the_search_does_not_know_yet_is_answered_under_its_key(
    tmp_path: Path, town: Town, front: Front, url: str
) -> None:
    front.script("charge", Act.DROP)
    front.lags = True
    async with shop(tmp_path, town, url) as stage:
        order_id = await stage.place(payment_method=VISA)
        order = await stage.to_the_end(order_id)

        assert (order.status, front.moves(order_id)) == ("SUCCESS", [CHARGED])


@story
async def test_an_order_that_costs_nothing_never_reaches_stripe(
    tmp_path: Path, town: Town, front: Front, url: str
) -> None:
    async with shop(tmp_path, town, url, DEFAULT_PRICE="0") as stage:
        order_id = await stage.place(payment_method=VISA)

        assert (await stage.to_the_end(order_id)).status == "SUCCESS"
        assert front.intents() == []


@story
async def test_a_card_number_in_an_order_is_refused_and_written_nowhere(
    tmp_path: Path, town: Town, front: Front, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with shop(tmp_path, town, url) as stage:
        with pytest.raises(OrderInvalid) as refused:
            await stage.place(name="4242 4242 4242 4242")
    assert "4242" not in str(refused.value) + caplog.text
    assert b"4242 4242" not in everything_in(tmp_path)


# ── refunds in part, and what happens in Stripe's own pages ───────────────────────────────────────────────────────


async def told(stage: Stage, type: str, intent: str) -> None:
    """Stripe sends an event about the payment, which does not name the order."""
    about = {"object": {"id": "x", "payment_intent": intent, "metadata": {}}}
    body = msgspec.json.encode({"id": new_id(), "type": type, "data": about})
    event = ReceivedEvent("stripe", new_id(), type, None, body)
    await stage.home.write_as_operator(lambda it: it.events.receive(event, it.work.now), "receive event")
    await stage.quiet()


@pytest.mark.parametrize("act", [Act.OK, Act.FAIL, Act.LOSE, Act.DROP])
@story
async def test_a_part_is_given_back_once_and_never_more_than_is_left(
    tmp_path: Path, town: Town, front: Front, url: str, act: Act
) -> None:
    async with shop(tmp_path, town, url) as stage:
        order_id = await stage.place(payment_method=VISA)
        await stage.to_the_end(order_id)
        front.script("refund", act)
        await stage.refund(order_id, 1200)
        await stage.pass_time(5 * MINUTE)

        assert (front.moves(order_id), stage.held(order_id)) == ([CHARGED, ("refund", 1200)], 1800)
        with pytest.raises(RefundNotPossible):
            await stage.refund(order_id, 1801)


@story
async def test_an_order_is_cancelled_with_what_a_refund_in_part_has_left(
    tmp_path: Path, town: Town, front: Front, url: str
) -> None:
    async with shop(tmp_path, town, url, HOLD_SECONDS="60") as stage:
        order_id = await stage.place(payment_method=VISA)
        await stage.refund(order_id, 1200)
        await stage.cancel(order_id)
        await stage.to_the_end(order_id)

        assert sorted(front.moves(order_id)) == [CHARGED, ("refund", 1200), ("refund", 1800)]
        assert stage.held(order_id) == 0


@story
async def test_a_refund_made_in_stripes_pages_and_a_dispute_are_booked_by_their_events(
    tmp_path: Path, town: Town, front: Front, url: str
) -> None:
    async with shop(tmp_path, town, url) as stage:
        order_id = await stage.place(payment_method=VISA)
        await stage.to_the_end(order_id)
        (intent,) = front.intents()
        front.give_back(intent["id"], 500)
        front.dispute(intent["id"], 2500)
        for what in ("charge.dispute.created", "charge.refunded", "refund.created"):
            await told(stage, what, intent["id"])

        (refund,) = stage.order(order_id).refunds or ()
        assert (refund.elsewhere, refund.amount, stage.held(order_id)) == (True, 500, 0)
