"""The contract of a payments gateway held against the functions' way of calling, and the tokens that they keep."""

from uuid import uuid4

import pytest
from botocore.stub import Stubber

from demo.bank import Bank
from demo.behaviour import Act
from demo.serving import running
from expediter.app.gateways import Gateway, GatewayName, Remote, Simulated
from expediter.app.tasks.calls import Answer, AnyCall, Done
from expediter.aws import clients, clock
from expediter.aws.gateways import KEPT, Gateways, StoredSecret
from expediter.domain.errors import StoreUnavailable
from tests.app.gateways.talk import NOW, charge
from tests.aws.stage import Functions
from tests.ports import test_payments
from tests.ports.providers import TOKEN, Caller
from tests.support.stripe import stripe

_SUITE = ("test_", "provider", "books")
globals().update({name: it for name, it in vars(test_payments).items() if name.startswith(_SUITE)})


class FunctionsCaller:
    def call(self, gateway: Gateway, *calls: AnyCall, token: str = TOKEN) -> Answer:
        def secret(refused: str | None = None) -> str:
            return token

        gateways = Gateways(gateway, Simulated(), dict.fromkeys(GatewayName, secret))
        return [gateways.call(call, NOW) for call in calls][-1]


@pytest.fixture
def caller() -> Caller:
    return FunctionsCaller()


# ── the token ─────────────────────────────────────────────────────────────────────────────────────────────────────


class Clock:
    """The functions' clock, moved by hand."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.now = NOW
        patch.setattr(clock, "now", lambda: self.now)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def manager(functions: Functions) -> Stubber:
    """Secrets Manager. Each read has to be announced with what it answers."""
    functions.settings(AWS_DEFAULT_REGION="eu-central-1")
    return Stubber(clients.secrets())


def says(manager: Stubber, value: str) -> None:
    manager.add_response("get_secret_value", {"SecretString": value}, {"SecretId": "arn"})


def test_a_token_is_read_once_and_again_after_five_minutes(manager: Stubber, time: Clock) -> None:
    secret = StoredSecret("arn")
    says(manager, "first\n")
    says(manager, "second")
    with manager:
        assert (secret(), secret()) == ("first", "first")
        time.now += KEPT
        assert secret() == "first"
        time.now += 1
        assert secret() == "second"
        manager.assert_no_pending_responses()


def test_a_token_that_is_refused_is_read_again_at_once(manager: Stubber, time: Clock) -> None:
    secret = StoredSecret("arn")
    says(manager, "first")
    says(manager, "second")
    with manager:
        assert secret() == "first"
        assert secret(refused="first") == "second"
        assert secret(refused="first") == "second"  # another call had it read meanwhile
        manager.assert_no_pending_responses()


def test_a_kept_token_is_used_on_while_secrets_manager_does_not_answer(manager: Stubber, time: Clock) -> None:
    secret = StoredSecret("arn")
    says(manager, "first")
    manager.add_client_error("get_secret_value", "InternalServiceError")
    with manager:
        assert secret() == "first"
        time.now += KEPT + 1
        assert secret() == "first"


def test_a_token_that_cannot_be_read_at_all_is_an_unavailable_store(manager: Stubber, time: Clock) -> None:
    manager.add_client_error("get_secret_value", "InternalServiceError")
    with manager, pytest.raises(StoreUnavailable, match="InternalServiceError"):
        StoredSecret("arn")()


def test_no_token_is_set_and_none_is_read(manager: Stubber) -> None:
    with manager:
        assert StoredSecret("")() is None


def test_a_rotated_token_is_used_in_the_same_call(functions: Functions) -> None:
    """The provider changed its token, and Secrets Manager has the new one: the order is paid, and nothing deployed."""
    bank = Bank(token="old")
    with running(bank) as url:
        arn = functions.adapters.session.client("secretsmanager").create_secret(Name="token", SecretString="old")["ARN"]
        functions.settings(EXPEDITER_PAYMENTS=url, EXPEDITER_PAYMENTS_TOKEN=arn)
        for token in ("old", "new"):
            bank.token = token
            functions.adapters.session.client("secretsmanager").put_secret_value(SecretId=arn, SecretString=token)
            given = functions.order(str(uuid4()))
            functions.call("InitializeOrder", given)
            assert functions.call("ProcessPayment", given) == {"status": "ok"}
    assert [move.kind for move in bank.movements] == ["charge", "charge"]


def test_the_wait_that_a_busy_provider_asks_for_is_waited(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr("expediter.aws.gateways.time.sleep", waited.append)
    bank = Bank(retry_after=5)
    bank.script("charge", Act.BUSY)
    with running(bank) as url:
        answer = FunctionsCaller().call(Remote(url), charge())

    assert isinstance(answer, Done)
    assert waited == [0, 5, 0]


# ── Stripe ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_order_is_paid_and_given_back_by_stripe(functions: Functions) -> None:
    """As on one machine (tests/journeys/test_stripe.py): the token is in the execution's input, and on the row."""
    with stripe("sk_test_expediter") as (front, url):
        manager = functions.adapters.session.client("secretsmanager")
        arn = manager.create_secret(Name="token", SecretString="sk_test_expediter")["ARN"]
        functions.settings(EXPEDITER_PAYMENTS="stripe", EXPEDITER_STRIPE_URL=url, EXPEDITER_PAYMENTS_TOKEN=arn)
        given = functions.order(str(uuid4()), payment_method="pm_card_visa")
        order_id = given["order"]["id"]
        for name, output in (("InitializeOrder", None), ("ProcessPayment", {"status": "ok"})):
            answer = functions.call(name, given)
            assert output is None or answer == output
        assert front.moves(order_id) == [("charge", 3000)]
        assert functions.rest("POST", f"/orders/{order_id}/cancel")["body"]["order_status"] == "REFUND_PENDING"
        for name in ("OweRefund", "RefundPayment", "CancelFailedOrder"):
            functions.call(name, given)
        shown = functions.rest("GET", f"/orders/{order_id}")["body"]

        assert (shown["order_status"], "payment_method" in shown) == ("CANCELLED", False)
        assert front.moves(order_id) == [("charge", 3000), ("refund", 3000)]
