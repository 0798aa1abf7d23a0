"""The contract of a payments gateway: every implementation, each over the protocol that it speaks, on loopback."""

from collections.abc import Iterator
from contextlib import suppress

import msgspec
import pytest

from demo.behaviour import LOSSES, Act
from expediter.app.tasks.calls import (
    Charge,
    Done,
    LookUp,
    NeverSeen,
    Pending,
    Refunded,
    Refused,
    StatedRefund,
    Statement,
)
from expediter.domain.errors import PaymentUnavailable
from tests.app.gateways import talk
from tests.app.gateways.talk import LONG_AGO, NOW, refund
from tests.ports.providers import HEAVY, PROVIDERS, WITHOUT_BOOKS, Caller, Provider, find

CHARGED, BACK = ("charge", 850), ("refund", 850)


ALL = [pytest.param(name, marks=[pytest.mark.heavy] if name in HEAVY else []) for name in PROVIDERS]


def charge(tried_at: int = NOW, repeat: bool = False) -> Charge:
    return msgspec.structs.replace(talk.charge(tried_at, repeat), payment_method="pm_card_visa")


@pytest.fixture(scope="module", params=ALL)
def provider(request: pytest.FixtureRequest) -> Iterator[Provider]:
    with PROVIDERS[request.param]() as opened:
        yield opened


@pytest.fixture(scope="module", params=[it for it in ALL if it.values[0] not in WITHOUT_BOOKS])
def books(request: pytest.FixtureRequest) -> Iterator[Provider]:
    """A provider that has books."""
    with PROVIDERS[request.param]() as opened:
        yield opened


# ── every provider ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_charge_is_done_and_has_the_providers_id(provider: Provider, caller: Caller) -> None:
    answer = caller.call(provider.gateway(), charge())

    assert isinstance(answer, Done)
    assert answer.reference


def test_the_same_charge_again_is_the_same_answer(provider: Provider, caller: Caller) -> None:
    gateway = provider.gateway()

    assert caller.call(gateway, charge()) == caller.call(gateway, charge(repeat=True))


def test_a_decline_is_an_answer_with_a_reason_and_stays_one(provider: Provider, caller: Caller) -> None:
    gateway = provider.gateway(charge=Act.REFUSE)
    declined = caller.call(gateway, charge())

    assert isinstance(declined, Refused)
    assert declined.message
    assert caller.call(gateway, charge(repeat=True)) == declined


def test_a_refund_of_a_charge_is_done_and_names_it(provider: Provider, caller: Caller) -> None:
    gateway = provider.gateway()
    charged = caller.call(gateway, charge())
    back = caller.call(gateway, refund(charge_id=charged.reference))

    assert isinstance(back, Refunded)
    assert (back.charged, back.charge_id) == (True, charged.reference)
    assert back.reference


def test_a_refund_of_a_declined_charge_gives_nothing_back(provider: Provider, caller: Caller) -> None:
    answer = caller.call(provider.gateway(charge=Act.REFUSE), charge(), refund(charge_known=False, charge_id=None))

    assert isinstance(answer, Refunded)
    assert not answer.charged


@pytest.mark.parametrize("act", [Act.OK, Act.REFUSE])
def test_what_became_of_a_charge_can_be_found_by_its_key(provider: Provider, caller: Caller, act: Act) -> None:
    gateway = provider.gateway(charge=act)

    assert caller.call(gateway, charge()) == find(gateway, "o1/charge")


# ── a provider with books ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_charge_and_its_refund_move_the_money_once_each(books: Provider, caller: Caller) -> None:
    gateway = books.gateway()
    charged = caller.call(gateway, charge(), charge(repeat=True))
    back = refund(charge_id=charged.reference)
    caller.call(gateway, back, refund(charge_id=charged.reference, repeat=True))

    assert books.moves("o1") == [CHARGED, BACK]


def test_parts_are_given_back_once_each_never_more_than_is_left_and_the_books_say_so(
    books: Provider, caller: Caller
) -> None:
    gateway = books.gateway()
    charged = caller.call(gateway, charge())
    part = msgspec.structs.replace(
        refund(charge_id=charged.reference, repeat=True), key="o1/refund/r1", amount=300, part=True
    )
    back = caller.call(gateway, part, part)
    too_much = caller.call(gateway, msgspec.structs.replace(part, key="o1/refund/r2", amount=551))

    assert isinstance(back, Refunded)
    assert isinstance(too_much, Refused)
    assert books.moves("o1") == [CHARGED, ("refund", 300)]
    assert caller.call(gateway, LookUp(charged.reference, "o1/charge", "o1")) == Statement(
        "o1", (StatedRefund(str(back.reference), 300, "USD", made=True, key="o1/refund/r1"),)
    )


@pytest.mark.parametrize("loss", LOSSES)
def test_a_charge_whose_answer_got_lost_is_found_again_and_not_made_twice(
    books: Provider, caller: Caller, loss: Act
) -> None:
    gateway = books.gateway(charge=loss)
    with pytest.raises(PaymentUnavailable):
        caller.call(gateway, charge())

    assert isinstance(caller.call(gateway, charge(repeat=True)), Done)
    assert books.moves("o1") == [CHARGED]


def test_a_charge_that_failed_before_anything_was_done_is_made_at_the_next_try(books: Provider, caller: Caller) -> None:
    gateway = books.gateway(charge=Act.FAIL)
    with pytest.raises(PaymentUnavailable):
        caller.call(gateway, charge())

    assert books.moves("o1") == []
    assert isinstance(caller.call(gateway, charge(repeat=True)), Done)
    assert books.moves("o1") == [CHARGED]


@pytest.mark.parametrize("paid", [True, False])
def test_a_charge_that_waits_for_its_customer_is_pending_and_settled_when_he_has_done_it(
    books: Provider, caller: Caller, paid: bool
) -> None:
    gateway = books.gateway(charge=Act.PEND)
    waits = caller.call(gateway, charge())
    assert isinstance(waits, Pending)
    assert waits.client_secret or waits.redirect_url
    again = msgspec.structs.replace(charge(repeat=True), charge_id=waits.reference)
    assert caller.call(gateway, again) == waits == find(gateway, "o1/charge")
    assert books.moves("o1") == []

    books.complete("o1", paid)
    assert isinstance(caller.call(gateway, again), Done if paid else Refused)
    assert books.moves("o1") == ([CHARGED] if paid else [])


@pytest.mark.parametrize("paid", [True, False])
def test_a_refund_closes_a_charge_that_waits_for_its_customer(books: Provider, caller: Caller, paid: bool) -> None:
    gateway = books.gateway(charge=Act.PEND)
    waits = caller.call(gateway, charge())
    if paid:
        books.complete("o1", paid)
    back = caller.call(gateway, refund(charge_known=False, charge_id=waits.reference))
    books.complete("o1", paid=True)  # too late

    assert isinstance(back, Refunded)
    assert back.charged is paid
    assert books.moves("o1") == ([CHARGED, BACK] if paid else [])


def test_a_provider_that_is_busy_for_a_moment_is_asked_again_in_the_same_call(books: Provider, caller: Caller) -> None:
    charged = caller.call(books.gateway(charge=Act.BUSY), charge())
    assert isinstance(charged, Done)
    assert books.moves("o1") == [CHARGED]

    gateway = books.gateway(refund=Act.BUSY)
    charged = caller.call(gateway, charge())
    assert isinstance(caller.call(gateway, refund(charge_id=charged.reference)), Refunded)
    assert books.moves("o1") == [CHARGED, BACK]


def test_an_old_charge_that_the_provider_never_saw_is_not_made(books: Provider, caller: Caller) -> None:
    with pytest.raises(PaymentUnavailable):
        caller.call(books.gateway(), charge(LONG_AGO, repeat=True))

    assert books.moves("o1") == []


def test_a_refund_finds_out_whether_a_lost_charge_was_made(books: Provider, caller: Caller) -> None:
    gateway = books.gateway(charge=Act.DROP)
    with pytest.raises(PaymentUnavailable):
        caller.call(gateway, charge())
    answer = caller.call(gateway, refund(charge_known=False, charge_id=None))

    assert isinstance(answer, Refunded)
    assert answer.charged
    assert answer.charge_id
    assert books.moves("o1") == [CHARGED, BACK]


def test_a_charge_that_never_arrived_cannot_be_made_after_its_refund(books: Provider, caller: Caller) -> None:
    gateway = books.gateway()
    answer = caller.call(gateway, refund(charge_known=False, charge_id=None))
    assert isinstance(answer, Refunded)
    assert not answer.charged

    with suppress(PaymentUnavailable):  # a provider may also refuse to do anything under the key
        assert isinstance(caller.call(gateway, charge()), Refused)
    assert books.moves("o1") == []


@pytest.mark.parametrize("act", [Act.FAIL, *LOSSES])
def test_a_refund_without_an_answer_is_repeated_and_paid_once(books: Provider, caller: Caller, act: Act) -> None:
    gateway = books.gateway(refund=act)
    charged = caller.call(gateway, charge())
    with pytest.raises(PaymentUnavailable):
        caller.call(gateway, refund(charge_id=charged.reference))
    again = caller.call(gateway, refund(charge_id=charged.reference, repeat=True))

    assert isinstance(again, Refunded)
    assert (again.charged, again.charge_id) == (True, charged.reference)
    assert books.moves("o1") == [CHARGED, BACK]


def test_a_key_that_the_provider_never_saw_is_said_to_be_new(books: Provider) -> None:
    assert find(books.gateway(), "o1/charge") == NeverSeen()


def test_without_the_right_token_nothing_is_moved_and_nothing_is_settled(books: Provider, caller: Caller) -> None:
    gateway = books.gateway()
    for call in (charge(), charge(repeat=True), refund()):
        with pytest.raises(PaymentUnavailable, match="token"):
            caller.call(gateway, call, token="another")

    assert books.moves("o1") == []
