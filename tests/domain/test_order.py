"""The rules of an order's life, in any order of events."""

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from expediter.domain import order as module
from expediter.domain.errors import OrderAlreadyCharged, OrderAlreadyEnded, OrderAlreadySent, OrderError
from expediter.domain.errors import TransitionNotAllowed as NotAllowed
from expediter.domain.order import (
    ENDED,
    ERASED,
    TRANSITIONS,
    Change,
    Effect,
    EffectKind,
    Item,
    Order,
    Result,
    Status,
    cancelled,
    changed,
    charged_again,
    moved,
    nameless,
    require_open,
    settled,
    tried,
)
from tests.support.clock import NOON
from tests.support.values import ID, an_order

UNKNOWN, DONE, REFUSED = Effect(NOON), Effect(NOON, Result.DONE), Effect(NOON, Result.REFUSED)

# ── the table ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_table_has_every_status_and_ends_where_nothing_follows() -> None:
    assert TRANSITIONS.keys() == set(Status)
    assert {Status.SUCCESS, Status.FAILED, Status.CANCELLED} == ENDED


def test_every_arrow_of_the_table_is_drawn_in_the_module() -> None:
    drawing = (module.__doc__ or "").split("Rules:")[0]
    for status in Status:
        assert status in drawing


@pytest.mark.parametrize("before", Status)
@pytest.mark.parametrize("to", Status)
def test_an_order_moves_where_the_table_says_or_stays(before: Status, to: Status) -> None:
    order = an_order(status=before)
    if to is before or to in TRANSITIONS[before]:
        assert moved(order, to).status is to
    else:
        with pytest.raises(NotAllowed, match=f"from {before} to {to}"):
            moved(order, to)


@pytest.mark.parametrize("charge", [UNKNOWN, DONE])
@pytest.mark.parametrize("to", [Status.FAILED, Status.CANCELLED])
def test_no_order_ends_badly_with_money_that_may_be_with_us(charge: Effect, to: Status) -> None:
    order = an_order(status=Status.REFUND_PENDING, effects={EffectKind.CHARGE: charge})
    with pytest.raises(NotAllowed, match="money"):
        moved(order, to)

    assert moved(settled(order, EffectKind.REFUND, Result.DONE, NOON), to).status is to


def test_a_reason_is_kept_until_another_is_given() -> None:
    order = moved(an_order(), Status.REFUND_PENDING, "first")

    assert moved(order, Status.FAILED).error_message == "first"
    assert moved(order, Status.FAILED, "second").error_message == "second"


# ── effects ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_key_of_an_effect_is_the_same_at_every_try() -> None:
    assert an_order().key(EffectKind.CHARGE) == f"{ID}/charge"
    assert {an_order().key(kind) for kind in EffectKind} == {f"{ID}/{kind.value}" for kind in EffectKind}


def test_the_first_try_of_an_effect_is_written_down_once() -> None:
    first = tried(an_order(), EffectKind.CHARGE, NOON)

    assert first.effects == {EffectKind.CHARGE: Effect(NOON, Result.UNKNOWN)}
    assert tried(first, EffectKind.CHARGE, NOON + 5) is first


def test_a_result_keeps_the_time_of_the_first_try() -> None:
    order = settled(tried(an_order(), EffectKind.CHARGE, NOON), EffectKind.CHARGE, Result.DONE, NOON + 5, "ch_1")

    assert order.effects[EffectKind.CHARGE] == Effect(NOON, Result.DONE, "ch_1")


def test_handing_the_order_over_closes_the_hold() -> None:
    assert tried(an_order(), EffectKind.RESTAURANT, NOON).hold_closed_at == NOON
    assert tried(an_order(hold_closed_at=NOON - 5), EffectKind.RESTAURANT, NOON).hold_closed_at == NOON - 5
    assert tried(an_order(), EffectKind.CHARGE, NOON).hold_closed_at is None


@pytest.mark.parametrize(
    ("charge", "refund", "owes"),
    [
        (None, None, False),
        (REFUSED, None, False),
        (UNKNOWN, None, True),
        (DONE, None, True),
        (DONE, UNKNOWN, True),
        (DONE, DONE, False),
        (UNKNOWN, DONE, False),
    ],
)
def test_a_refund_is_owed_while_money_is_or_may_be_with_us(
    charge: Effect | None, refund: Effect | None, owes: bool
) -> None:
    effects = {EffectKind.CHARGE: charge, EffectKind.REFUND: refund}
    order = an_order(effects={kind: effect for kind, effect in effects.items() if effect})

    assert order.owes_refund is owes


def test_the_total_and_the_quantity_are_those_of_all_items() -> None:
    order = an_order(items=(Item("a", 2, 250), Item("b", 1, 1)))

    assert (order.quantity, order.total) == (3, 501)


# ── cancel ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("effects", "status"),
    [
        ({}, Status.CANCELLED),
        ({EffectKind.CHARGE: REFUSED}, Status.CANCELLED),
        ({EffectKind.CHARGE: UNKNOWN}, Status.REFUND_PENDING),
        ({EffectKind.CHARGE: DONE}, Status.REFUND_PENDING),
    ],
)
def test_cancelling_says_at_once_whether_money_comes_back(effects: dict[EffectKind, Effect], status: Status) -> None:
    order = cancelled(an_order(effects=effects), NOON)

    assert (order.status, order.cancel_requested_at) == (status, NOON)
    assert cancelled(order, NOON + 5) is order


def test_after_the_hold_nothing_can_be_cancelled_or_changed() -> None:
    for closed in (an_order(status=Status.PAID, hold_closed_at=NOON), an_order(status=Status.SUCCESS)):
        with pytest.raises(OrderAlreadySent):
            cancelled(closed, NOON)
        with pytest.raises(OrderAlreadySent):
            changed(closed, Change(name="x"))


@pytest.mark.parametrize("hold_closed_at", [None, NOON])
def test_an_ended_order_can_neither_be_cancelled_nor_changed(hold_closed_at: int | None) -> None:
    failed = an_order(status=Status.FAILED, hold_closed_at=hold_closed_at)
    with pytest.raises(OrderAlreadyEnded):
        cancelled(failed, NOON)
    with pytest.raises(OrderAlreadyEnded):
        changed(failed, Change(name="x"))


# ── change ────────────────────────────────────────────────────────────────────────────────────────────────────────

PRICED = [
    Change(currency="EUR"),
    Change(items=(Item("Burger", 4, 1000),)),
    Change(items=(Item("Burger", 3, 999),)),
    Change(items=(Item("Burger", 1, 3000),)),
    Change(items=(Item("Burger", 3, 1000), Item("Gift", 1, 0))),
]
FREE = [
    Change(restaurant_id="Elsewhere"),
    Change(name="Soup"),
    Change(email="a@example.com"),
    Change(email=None),
    Change(items=(Item("Soup", 3, 1000),)),
    Change(currency="USD"),
]


@pytest.mark.parametrize("change", PRICED + FREE)
def test_everything_can_be_changed_before_the_charge_is_tried(change: Change) -> None:
    after = changed(an_order(email="b@example.com"), change)

    for name, value in msgspec.structs.asdict(change).items():
        if value is not msgspec.UNSET:
            assert getattr(after, name) == value


@pytest.mark.parametrize("charge", [UNKNOWN, DONE, REFUSED])
@pytest.mark.parametrize("change", PRICED)
def test_what_sets_the_total_is_frozen_from_the_first_try_of_the_charge(charge: Effect, change: Change) -> None:
    with pytest.raises(OrderAlreadyCharged):
        changed(an_order(effects={EffectKind.CHARGE: charge}), change)


@pytest.mark.parametrize("change", FREE)
def test_what_does_not_set_the_total_can_be_changed_until_the_hold_is_closed(change: Change) -> None:
    charged = an_order(effects={EffectKind.CHARGE: DONE}, status=Status.PAID)

    assert changed(charged, change).total == charged.total


# ── any life ──────────────────────────────────────────────────────────────────────────────────────────────────────


def settle(order: Order, kind: EffectKind, result: Result) -> Order:
    """As the tasks do: what is settled stays so, and a refund is made only when it was written down as owed."""
    fits = kind is not EffectKind.REFUND or order.status is Status.REFUND_PENDING
    known = order.result(kind) in (Result.DONE, Result.REFUSED)
    return settled(order, kind, result, NOON) if fits and not known else order


def move(order: Order, to: Status) -> Order:
    """As the tasks do: only a charge that was made pays an order."""
    return order if to is Status.PAID and order.result(EffectKind.CHARGE) is not Result.DONE else moved(order, to)


def steps() -> st.SearchStrategy[Callable[[Order], Order]]:
    """Anything that anybody may do to an order; what the rules refuse raises."""
    kinds, results = st.sampled_from(EffectKind), st.sampled_from(Result)
    return st.one_of(
        st.sampled_from(Status).map(lambda status: lambda order: move(order, status)),
        kinds.map(lambda kind: lambda order: tried(order, kind, NOON)),
        st.tuples(kinds, results).map(lambda pair: lambda order: settle(order, *pair)),
        st.just(lambda order: cancelled(order, NOON)),
        st.sampled_from(PRICED + FREE).map(lambda change: lambda order: changed(order, change)),
    )


@given(st.lists(steps(), max_size=25))
def test_in_any_life_an_ended_order_stays_ended_and_keeps_no_money(life: list[Callable[[Order], Order]]) -> None:
    order = an_order()
    for step in life:
        before = order
        try:
            order = step(order)
        except OrderError:
            continue
        if before.ended:
            assert order.status is before.status
        if not before.ended and order.status in (Status.FAILED, Status.CANCELLED):
            assert not order.owes_refund
        if EffectKind.CHARGE in before.effects:
            assert (order.total, order.currency) == (before.total, before.currency)
        if before.hold_closed_at is not None:
            assert order.hold_closed_at == before.hold_closed_at
            assert order.cancel_requested_at == before.cancel_requested_at
            assert order.items == before.items


@given(st.lists(steps(), max_size=25))
def test_in_any_life_cancelling_works_exactly_while_the_order_is_open(life: list[Callable[[Order], Order]]) -> None:
    order = an_order()
    for step in life:
        try:
            order = step(order)
        except OrderError:
            continue
    try:
        require_open(order)
    except OrderError as error:
        assert order.ended or order.hold_closed_at is not None or order.cancel_requested_at is not None
        if order.cancel_requested_at is None:
            with pytest.raises(type(error)):
                cancelled(order, NOON)
    else:
        assert cancelled(order, NOON).status in (Status.CANCELLED, Status.REFUND_PENDING)


def test_a_nameless_order_keeps_what_was_ordered_and_paid_and_loses_whose_it_is() -> None:
    plain = msgspec.structs.replace(an_order(), name="Ada's", email="a@b.example", error_message="Ada was out.")
    plain = msgspec.structs.replace(plain, items=(Item("Ada's", 3, 1000),))
    several = msgspec.structs.replace(plain, name=None, items=(Item("Bun", 1, 100), Item("Cheese", 2, 50)))

    assert nameless(plain) == msgspec.structs.replace(
        plain, user_id=ERASED, name=None, email=None, error_message=None, items=(Item("item", 3, 1000),)
    )
    assert nameless(several).items == several.items
    assert nameless(nameless(plain)) == nameless(plain)


# ── a declined charge that is tried once more ─────────────────────────────────────────────────────────────────────


def test_a_declined_charge_is_tried_again_under_a_key_of_its_own() -> None:
    once = an_order(effects={EffectKind.CHARGE: REFUSED}, error_message="Card expired.")

    twice = charged_again(once, NOON + 1)
    thrice = charged_again(settled(twice, EffectKind.CHARGE, Result.REFUSED, NOON + 2), NOON + 3)

    assert [order.key(EffectKind.CHARGE) for order in (once, twice, thrice)] == [
        f"{ID}/charge{end}" for end in ("", "/2", "/3")
    ]
    assert twice.effects == {EffectKind.CHARGE: Effect(NOON + 1, Result.UNKNOWN, None, 2)}
    assert twice.error_message is None
    assert thrice.effects[EffectKind.CHARGE].tried_at == NOON + 3


@pytest.mark.parametrize("effect", [UNKNOWN, DONE, None])
def test_only_a_declined_charge_is_tried_again(effect: Effect | None) -> None:
    order = an_order(effects={EffectKind.CHARGE: effect} if effect else {})

    with pytest.raises(OrderAlreadyCharged):
        charged_again(order, NOON)


@pytest.mark.parametrize("refund", [UNKNOWN, DONE])
def test_nothing_is_charged_again_once_a_refund_was_tried(refund: Effect) -> None:
    """The refund promised that nothing is charged after it."""
    order = an_order(effects={EffectKind.CHARGE: REFUSED, EffectKind.REFUND: refund})

    with pytest.raises(OrderAlreadyCharged):
        charged_again(order, NOON)


@pytest.mark.parametrize(
    "fields", [{"status": Status.FAILED}, {"status": Status.CANCELLED}, {"cancel_requested_at": NOON}]
)
def test_an_order_that_ended_or_was_cancelled_is_not_charged_again(fields: dict[str, object]) -> None:
    with pytest.raises(OrderAlreadyEnded):
        charged_again(an_order(effects={EffectKind.CHARGE: REFUSED}, **fields), NOON)
