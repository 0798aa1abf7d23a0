"""Whether the money adds up, for us alone and against the provider's own records."""

import msgspec
import pytest

from expediter.app.operator.reconcile import Currency, Movement, reconcile
from expediter.domain.ledger import EntryKind, LedgerEntry
from expediter.domain.order import Effect, EffectKind, Order, Result, Status
from tests.support.clock import NOON
from tests.support.values import ID, an_order

CHARGE = LedgerEntry(ID, EntryKind.CHARGE, f"{ID}/charge", 3000, "USD", NOON)
REFUND = LedgerEntry(ID, EntryKind.REFUND, f"{ID}/refund", 3000, "USD", NOON)
CHARGED = Movement(CHARGE.key, "charge", ID, 3000, "USD")
REFUNDED = Movement(REFUND.key, "refund", ID, 3000, "USD")
DONE, UNKNOWN = Effect(NOON, Result.DONE), Effect(NOON)


def order(status: Status, **effects: Effect) -> Order:
    return an_order(status=status, effects={EffectKind(name): effect for name, effect in effects.items()})


BALANCED = [
    (order(Status.PENDING), ()),
    (order(Status.PENDING, charge=UNKNOWN), ()),
    (order(Status.PAID, charge=DONE), (CHARGE,)),
    (order(Status.SUCCESS, charge=DONE), (CHARGE,)),
    (order(Status.REFUND_PENDING, charge=DONE), (CHARGE,)),
    (order(Status.REFUND_PENDING, charge=DONE, refund=UNKNOWN), (CHARGE,)),
    (order(Status.REFUND_PENDING, charge=DONE, refund=DONE), (CHARGE, REFUND)),
    (order(Status.REFUND_PENDING, charge=UNKNOWN), ()),
    (order(Status.FAILED), ()),
    (order(Status.FAILED, charge=DONE, refund=DONE), (CHARGE, REFUND)),
    (order(Status.CANCELLED, charge=DONE, refund=DONE), (CHARGE, REFUND)),
]


@pytest.mark.parametrize("book", BALANCED)
def test_an_order_on_its_way_or_at_its_end_balances(book: tuple[Order, tuple[LedgerEntry, ...]]) -> None:
    report = reconcile([book])

    assert report.clean
    assert all(sums.held == sums.expected for sums in report.currencies)


UNBALANCED = [
    (order(Status.SUCCESS), ()),
    (order(Status.SUCCESS, charge=DONE), (CHARGE, REFUND)),
    (order(Status.FAILED, charge=DONE), (CHARGE,)),
    (order(Status.CANCELLED, charge=DONE), (CHARGE,)),
    (order(Status.FAILED), (REFUND,)),
    (order(Status.PENDING), (CHARGE,)),
    (order(Status.PAID, charge=DONE), (msgspec.structs.replace(CHARGE, amount=2999),)),
]


@pytest.mark.parametrize("book", UNBALANCED)
def test_an_order_that_holds_too_much_or_too_little_is_named(book: tuple[Order, tuple[LedgerEntry, ...]]) -> None:
    report = reconcile([book])

    assert [offender.order_id for offender in report.offenders] == [ID]
    assert not report.clean


def test_each_currency_is_summed_by_itself() -> None:
    euro = msgspec.structs.replace(order(Status.SUCCESS, charge=DONE), currency="EUR")
    orders = [
        (euro, (msgspec.structs.replace(CHARGE, currency="EUR"),)),
        (order(Status.SUCCESS), (CHARGE,)),
        BALANCED[9],
    ]

    assert reconcile(orders).currencies == (
        Currency("EUR", 1, 3000, 0, 0, 3000),
        Currency("USD", 2, 6000, 3000, 0, 3000),
    )


def test_without_orders_nothing_is_wrong() -> None:
    assert reconcile([]).clean
    assert reconcile([], []).clean


@pytest.mark.parametrize(
    ("provider", "problem"),
    [
        ([], "the provider does not"),
        ([msgspec.structs.replace(CHARGED, amount=1)], "30.00 USD here, 0.01 USD at the provider"),
        ([msgspec.structs.replace(CHARGED, currency="EUR")], "30.00 EUR at the provider"),
        ([CHARGED, REFUNDED], "the provider has refund"),
        ([CHARGED, msgspec.structs.replace(CHARGED, key="x/charge", order_id="x")], "the provider has charge x/charge"),
    ],
)
def test_where_the_providers_records_differ_the_order_is_named(provider: list[Movement], problem: str) -> None:
    book = order(Status.SUCCESS, charge=DONE), (CHARGE,)
    (offender,) = reconcile([book], provider).offenders

    assert problem in offender.problem


@pytest.mark.parametrize(
    ("book", "provider"),
    [
        ((order(Status.SUCCESS, charge=DONE), (CHARGE,)), [CHARGED]),
        ((order(Status.FAILED, charge=DONE, refund=DONE), (CHARGE, REFUND)), [CHARGED, REFUNDED]),
        ((order(Status.PENDING, charge=UNKNOWN), ()), [CHARGED]),
        ((order(Status.PENDING, charge=UNKNOWN), ()), []),
        ((order(Status.REFUND_PENDING, charge=DONE, refund=UNKNOWN), (CHARGE,)), [CHARGED, REFUNDED]),
    ],
)
def test_a_call_under_way_is_no_offence(book: tuple[Order, tuple[LedgerEntry, ...]], provider: list[Movement]) -> None:
    assert reconcile([book], provider).clean


def test_a_charge_made_twice_under_one_key_is_found() -> None:
    book = order(Status.SUCCESS, charge=DONE), (CHARGE,)

    assert not reconcile([book], [CHARGED, CHARGED]).clean
