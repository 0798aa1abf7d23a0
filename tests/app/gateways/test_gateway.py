"""A gateway as an operator writes it, and what a simulated one answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expediter.app.gateways import ROUTES, GatewayName, Remote, Simulated, declines, parse_gateway
from expediter.app.tasks.calls import Answer, Call, Done, Refunded, Refused
from tests.app.gateways.talk import charge, handover, refund, withdraw

IDS = [f"order-{number}" for number in range(2000)]
calls = pytest.mark.parametrize("call", [charge(), refund(), handover(), withdraw()], ids=lambda call: call.kind)


def answered(call: Call, share: float) -> Answer:
    return ROUTES[type(call)].simulate(share, call)


@pytest.mark.parametrize(
    ("text", "gateway"),
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
def test_a_gateway_is_simulated_or_behind_a_url(text: str, gateway: Simulated | Remote) -> None:
    assert parse_gateway(text) == gateway


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
        parse_gateway(text)


@given(st.text())
def test_no_text_at_all_makes_it_fail_otherwise(text: str) -> None:
    try:
        parse_gateway(text)
    except ValueError:
        return


@calls
def test_a_call_goes_through_its_gateway(call: Call) -> None:
    assert ROUTES[type(call)].gateway == (
        GatewayName.PAYMENTS if call.kind in ("charge", "refund") else GatewayName.RESTAURANT
    )


def test_a_simulated_gateway_declines_the_share_it_is_given() -> None:
    declined = sum(declines(GatewayName.PAYMENTS, order_id, 0.2) for order_id in IDS)
    assert 320 < declined < 480


@pytest.mark.parametrize("gateway", GatewayName)
def test_a_simulated_gateway_declines_nothing_at_0_and_everything_at_1(gateway: GatewayName) -> None:
    assert not any(declines(gateway, order_id, 0.0) for order_id in IDS)
    assert all(declines(gateway, order_id, 1.0) for order_id in IDS)


def test_an_order_declined_at_one_share_is_declined_at_every_larger_one() -> None:
    assert all(declines(GatewayName.PAYMENTS, it, 0.3) for it in IDS if declines(GatewayName.PAYMENTS, it, 0.1))


def test_the_two_simulated_gateways_do_not_decline_the_same_orders() -> None:
    bank = {order_id for order_id in IDS if declines(GatewayName.PAYMENTS, order_id, 0.5)}
    kitchen = {order_id for order_id in IDS if declines(GatewayName.RESTAURANT, order_id, 0.5)}
    assert 400 < len(bank & kitchen) < 600


def test_which_orders_are_declined_is_the_same_on_every_machine_and_in_every_version() -> None:
    assert [number for number in range(20) if declines(GatewayName.PAYMENTS, f"order-{number}", 0.2)] == [1, 4, 7, 15]


@calls
def test_a_simulated_gateway_answers_the_same_call_the_same_way(call: Call) -> None:
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
