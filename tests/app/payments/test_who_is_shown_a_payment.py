"""How a pending payment goes on is shown to its customer and to programs that order for customers: to nobody else."""

import msgspec
import pytest

from expediter.api.graphql import order_json
from expediter.api.render import order_view
from expediter.app.access import ALL, CUSTOMER, Scope
from expediter.app.ports import Caller
from expediter.domain.order import AwaitedPayment
from tests.support.values import an_order

ORDER = msgspec.structs.replace(an_order(), awaited_payment=AwaitedPayment("pi_1_secret_1", task_token="t-1"))
ANN = ORDER.user_id


def customer(user_id: str) -> Caller:
    return Caller(user_id, operator=False, scopes=CUSTOMER)


@pytest.mark.parametrize("caller", [customer(ANN), Caller(), Caller(name="shop", scopes=CUSTOMER)])
def test_the_customer_and_a_program_that_orders_see_how_the_payment_goes_on(caller: Caller) -> None:
    view = order_view(ORDER, caller)

    assert msgspec.to_builtins(view)["payment"] == {
        "status": "pending",
        "client_secret": "pi_1_secret_1",
        "redirect_url": None,
    }
    assert order_json(ORDER, caller)["payment"]["clientSecret"] == "pi_1_secret_1"


@pytest.mark.parametrize(
    "caller",
    [None, customer("bob"), Caller("olga", scopes=ALL), Caller(name="reader", scopes=frozenset({Scope.ORDERS_READ}))],
)
def test_nobody_else_sees_it(caller: Caller | None) -> None:
    assert "secret" not in msgspec.json.encode(order_view(ORDER, caller)).decode()
    assert order_json(ORDER, caller)["payment"] is None


def test_an_order_that_waits_for_nothing_shows_no_payment() -> None:
    assert "payment" not in msgspec.to_builtins(order_view(an_order(), customer(an_order().user_id)))


@pytest.mark.parametrize("caller", [customer(ANN), Caller()])
def test_the_task_token_is_shown_to_nobody(caller: Caller) -> None:
    assert "t-1" not in msgspec.json.encode(order_view(ORDER, caller)).decode() + str(order_json(ORDER, caller))
