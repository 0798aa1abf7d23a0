"""Who a party is, as an operator writes it, and what a simulated one answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expediter.app.gateways import Remote, Role, Simulated, answered, declines, parse_party, role
from expediter.app.tasks.calls import Call, Done, Refunded, Refused
from tests.app.gateways.talk import charge, handover, refund, withdraw

IDS = [f"order-{number}" for number in range(2000)]
calls = pytest.mark.parametrize("call", [charge(), refund(), handover(), withdraw()], ids=lambda call: call.kind)


@pytest.mark.parametrize(
    ("text", "party"),
    [
        ("simulated", Simulated()),
        ("simulated:decline=0.2", Simulated(0.2)),
        ("simulated:decline=0", Simulated(0.0)),
        ("simulated:decline=1", Simulated(1.0)),
        ("http://127.0.0.1:9000", Remote("http://127.0.0.1:9000")),
        ("https://bank.example/v1/", Remote("https://bank.example/v1")),
        ("http://[::1]:9000", Remote("http://[::1]:9000")),
    ],
)
def test_a_party_is_simulated_or_behind_a_url(text: str, party: Simulated | Remote) -> None:
    assert parse_party(text) == party


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Simulated",
        "simulate",
        "simulated:",
        "simulated:decline",
        "simulated:decline=",
        "simulated:decline=20%",
        "simulated:decline=1.1",
        "simulated:decline=-0.1",
        "simulated:decline=nan",
        "simulated:refuse=0.2",
        "bank.example",
        "ftp://bank.example",
        "http://",
        "http://bank.example:99999",
        "http://bank.example:0",
        "http://user:secret@bank.example",
        "http://bank.example/?key=secret",
        "http://bank.example/#part",
        "http://bank.example/a b",
        "http://bank.example/\r\nX-Evil: 1",
        "http://[::1",
    ],
)
def test_anything_else_is_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(ValueError, match=r"give simulated, simulated:decline=0\.2 .* or http"):
        parse_party(text)


@given(st.text())
def test_no_text_at_all_makes_it_fail_otherwise(text: str) -> None:
    try:
        parse_party(text)
    except ValueError:
        return


@calls
def test_a_call_goes_to_the_party_that_it_is_for(call: Call) -> None:
    assert role(call) == (Role.PAYMENTS if call.kind in ("charge", "refund") else Role.RESTAURANT)


def test_a_simulated_party_declines_the_share_it_is_given() -> None:
    declined = sum(declines(Role.PAYMENTS, order_id, 0.2) for order_id in IDS)
    assert 320 < declined < 480


@pytest.mark.parametrize("party", Role)
def test_a_simulated_party_declines_nothing_at_0_and_everything_at_1(party: Role) -> None:
    assert not any(declines(party, order_id, 0.0) for order_id in IDS)
    assert all(declines(party, order_id, 1.0) for order_id in IDS)


def test_an_order_declined_at_one_share_is_declined_at_every_larger_one() -> None:
    assert all(declines(Role.PAYMENTS, it, 0.3) for it in IDS if declines(Role.PAYMENTS, it, 0.1))


def test_the_two_simulated_parties_do_not_decline_the_same_orders() -> None:
    bank = {order_id for order_id in IDS if declines(Role.PAYMENTS, order_id, 0.5)}
    kitchen = {order_id for order_id in IDS if declines(Role.RESTAURANT, order_id, 0.5)}
    assert 400 < len(bank & kitchen) < 600


def test_which_orders_are_declined_is_the_same_on_every_machine_and_in_every_version() -> None:
    assert [number for number in range(20) if declines(Role.PAYMENTS, f"order-{number}", 0.2)] == [1, 4, 7, 15]


@calls
def test_a_simulated_party_answers_the_same_call_the_same_way(call: Call) -> None:
    assert answered(call, 0.5) == answered(call, 0.5)


def test_a_simulated_bank_charges_and_gives_back() -> None:
    done = answered(charge(), 0.0)
    assert isinstance(done, Done)
    assert done.reference

    back = answered(refund(charge_known=False), 0.0)
    assert isinstance(back, Refunded)
    assert (back.charged, back.charge_id) == (True, done.reference)


def test_a_simulated_bank_never_charged_what_it_declines() -> None:
    assert isinstance(answered(charge(), 1.0), Refused)
    back = answered(refund(charge_known=False), 1.0)
    assert isinstance(back, Refunded)
    assert not back.charged


def test_a_simulated_restaurant_refuses_its_share_and_gives_everything_back() -> None:
    assert answered(handover(), 0.0) == Done()
    assert isinstance(answered(handover(), 1.0), Refused)
    assert answered(withdraw(), 1.0) == Done()
