"""Our books against Stripe's own lists: every difference is named, and 10,000 payments fit into little memory."""

import tracemalloc
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from demo.serving import Patience, running
from expediter.cli.provider import Provider, against_provider
from expediter.cli.stripe_records import movements
from expediter.domain.ledger import EntryKind, LedgerEntry
from expediter.domain.order import CHARGE, DONE, REFUND, Order, Status, entry, settled
from expediter.domain.refunds import Dispute
from tests.support.clock import NOON
from tests.support.values import an_order

KEY = "sk_test_1"


class Lists:
    """Stripe's two lists, the newest first, a page at a time, for whoever has the key."""

    def __init__(self) -> None:
        self.patience = Patience()
        self.payments: list[Any] = []
        self.refunds: list[Any] = []
        self.disputes: list[Any] = []
        self.asked = 0
        routes = [
            ("/v1/payment_intents", self._payments),
            ("/v1/payment_intents/{id}", self._payment),
            ("/v1/refunds", self._refunds),
            ("/v1/disputes", self._disputes),
        ]
        self.app = Starlette(routes=[Route(path, answer) for path, answer in routes])

    def close(self) -> None:
        pass

    def pay(self, order_id: str, amount: int = 3000, currency: str = "usd", **fields: Any) -> None:
        metadata = {"order_id": order_id, "charge_key": f"{order_id}/charge"}
        payment = {"id": f"pi_{order_id}", "status": "succeeded", "amount": amount, "currency": currency}
        self.payments.append({**payment, "metadata": metadata, **fields})

    def dispute(self, order_id: str, status: str = "needs_response") -> None:
        dispute = {"id": f"dp_{order_id}", "status": status, "amount": 3000, "currency": "usd", "metadata": {}}
        self.disputes.append({**dispute, "payment_intent": f"pi_{order_id}"})

    def give_back(self, order_id: str, amount: int = 3000, **metadata: str) -> None:
        refund = {"id": f"re_{order_id}", "status": "succeeded", "amount": amount, "currency": "usd"}
        self.refunds.append({**refund, "payment_intent": f"pi_{order_id}", "metadata": metadata})

    async def _payments(self, request: Request) -> JSONResponse:
        return self._page(request, self.payments)

    async def _refunds(self, request: Request) -> JSONResponse:
        return self._page(request, self.refunds)

    async def _disputes(self, request: Request) -> JSONResponse:
        return self._page(request, self.disputes)

    async def _payment(self, request: Request) -> JSONResponse:
        return JSONResponse(next(it for it in self.payments if it["id"] == request.path_params["id"]))

    def _page(self, request: Request, every: list[Any]) -> JSONResponse:
        self.asked += 1
        if request.headers["authorization"] != f"Bearer {KEY}":
            return JSONResponse({"error": {"type": "invalid_request_error"}}, 401)
        after, limit = request.query_params.get("starting_after"), int(request.query_params["limit"])
        begun = int(request.query_params.get("created[gte]", 0))
        every = [one for one in every if one.get("created", 0) >= begun]
        begin = next((no for no, one in enumerate(every, 1) if one["id"] == after), 0)
        return JSONResponse({"data": every[begin : begin + limit], "has_more": begin + limit < len(every)})


@pytest.fixture
def lists() -> Lists:
    return Lists()


@pytest.fixture
def url(lists: Lists) -> Iterator[str]:
    with running(lists) as found:
        yield found


def paid(order_id: str, currency: str = "USD") -> tuple[Order, tuple[LedgerEntry, ...]]:
    order = settled(an_order(id=order_id, status=Status.SUCCESS, currency=currency), CHARGE, DONE, NOON, "pi")
    return order, (entry(order, CHARGE, NOON),)


def given_back(order_id: str) -> tuple[Order, tuple[LedgerEntry, ...]]:
    order, entries = paid(order_id)
    order = settled(an_order(id=order_id, status=Status.FAILED, effects=order.effects), REFUND, DONE, NOON, "re")
    return order, (*entries, entry(order, REFUND, NOON))


def disputed(order_id: str) -> tuple[Order, tuple[LedgerEntry, ...]]:
    order, entries = paid(order_id)
    taken = Dispute(f"dp_{order_id}", 3000, NOON, "fraudulent", "needs_response", withdrawn=True)
    booked = LedgerEntry(order_id, EntryKind.DISPUTE, f"{order_id}/dispute/{taken.id}", 3000, "USD", NOON, taken.id)
    return msgspec.structs.replace(order, disputes=(taken,)), (*entries, booked)


def problems(url: str, *orders: tuple[Order, tuple[LedgerEntry, ...]], since: int = 0) -> list[tuple[str, str]]:
    report = against_provider(lambda: iter(orders), Provider(url, KEY, stripe=True, since=since))
    return [(one.order_id, one.problem) for one in report.offenders]


def test_records_that_agree_are_clean_and_other_payments_of_the_account_are_ignored(lists: Lists, url: str) -> None:
    lists.pay("a")
    lists.pay("b")
    lists.give_back("b", refund_key="b/refund")
    lists.pay("declined", status="requires_payment_method")
    lists.pay("another system", metadata={"invoice": "1"})
    lists.give_back("another system")

    assert problems(url, paid("a"), given_back("b")) == []


def test_money_is_compared_in_the_currency_s_own_units(lists: Lists, url: str) -> None:
    lists.pay("a", amount=300000, currency="isk")
    assert problems(url, paid("a", "ISK")) == []


def test_every_difference_is_named(lists: Lists, url: str) -> None:
    lists.pay("amount", amount=2999)
    lists.pay("currency", currency="eur")
    lists.pay("theirs")
    lists.pay("by hand")
    lists.give_back("by hand", amount=500)

    assert sorted(problems(url, paid("amount"), paid("currency"), paid("ours"), paid("by hand"))) == [
        ("amount", "amount/charge: 30.00 USD here, 29.99 USD at the provider"),
        ("by hand", "the provider has refund by hand/refund/re_by hand, we do not"),
        ("currency", "currency/charge: 30.00 USD here, 30.00 EUR at the provider"),
        ("ours", "we have charge ours/charge, the provider does not"),
        ("theirs", "the provider has charge theirs/charge, we do not"),
    ]


def test_a_payment_that_was_made_twice_for_one_charge_is_named(lists: Lists, url: str) -> None:
    lists.pay("a")
    lists.pay("a", id="pi_again")
    assert problems(url, paid("a")) == [("a", "the provider has charge a/charge more than once")]


def test_a_refund_that_failed_is_no_refund(lists: Lists, url: str) -> None:
    lists.pay("a")
    lists.give_back("a", refund_key="a/refund")
    lists.refunds[0]["status"] = "failed"
    assert problems(url, given_back("a")) == [("a", "we have refund a/refund, the provider does not")]


def test_a_dispute_is_compared_until_it_is_won(lists: Lists, url: str) -> None:
    for order_id, status in (("a", "needs_response"), ("b", "won"), ("c", "lost")):
        lists.pay(order_id)
        lists.dispute(order_id, status)

    assert problems(url, disputed("a"), paid("b"), paid("c")) == [
        ("c", "the provider has dispute c/dispute/dp_c, we do not")
    ]


def test_what_is_older_than_the_given_day_is_not_compared(lists: Lists, url: str) -> None:
    since = NOON + 60 * 86_400_000
    for order_id, age in (("old", 90), ("booked later", 70), ("new", 1)):
        lists.pay(order_id, created=(since + 86_400_000 * (10 - age)) // 1000)
    lists.pay("refunded", created=(since - 90 * 86_400_000) // 1000)
    lists.give_back("refunded", amount=500)
    lists.refunds[0]["created"] = since // 1000

    assert problems(url, paid("ours and old"), since=since) == [
        ("new", "the provider has charge new/charge, we do not"),
        ("refunded", "the provider has refund refunded/refund/re_refunded, we do not"),
    ]


def peak(lists: Lists, url: str, count: int) -> int:
    """Bytes that the comparison of so many payments takes at most, all of them with their orders."""
    lists.payments.clear()
    for number in range(count):
        lists.pay(f"order-{number}")
    provider = Provider(url, KEY, stripe=True)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        assert against_provider(lambda: (paid(f"order-{number}") for number in range(count)), provider).clean
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def test_ten_thousand_payments_are_compared_in_the_memory_of_one_thousand(lists: Lists, url: str) -> None:
    one, ten = peak(lists, url, 1_000), peak(lists, url, 10_000)

    assert lists.asked == (10 + 2) + (100 + 2)
    assert ten < one + 512 * 1024


def test_a_wrong_key_is_no_verdict(lists: Lists, url: str) -> None:
    with pytest.raises(httpx.HTTPStatusError, match="401"):
        list(movements(url, "sk_test_wrong"))
