"""What the streams dropped is found by sparse indexes and sent: mails, and the ends of orders."""

from typing import Any
from uuid import uuid4

import msgspec
import pytest
from botocore.stub import ANY, Stubber
from typer.testing import CliRunner

from expediter.api.graphql import order_json
from expediter.aws import clients, deployed
from expediter.aws.functions import sweeper as sweeping
from expediter.aws.functions.sweeper import SweepFailed
from expediter.aws.sending.feed import Feed
from expediter.aws.stores.news import is_news
from expediter.aws.stores.orders import Tables
from expediter.aws.stores.tables import Name
from expediter.cli.app import app
from expediter.domain.order import Item, Status
from tests.aws.stage import Functions
from tests.support.values import an_order

DONE = ("InitializeOrder", "ProcessPayment", "SendOrderToRestaurant", "CompleteOrder")


@pytest.fixture(autouse=True)
def told(functions: Functions, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The orders that AppSync is told of. The sweep looks at what is a moment old."""
    found: list[str] = []
    monkeypatch.setattr(Feed, "publish", lambda _, order_id: found.append(order_id))
    monkeypatch.setattr(sweeping, "AGE", -1000)
    functions.settings(EXPEDITER_GRAPHQL_URL="http://127.0.0.1:9")
    return found


def completed(functions: Functions, **fields: Any) -> str:
    order_id = str(uuid4())
    for name in DONE:
        functions.call(name, functions.order(order_id, **fields))
    return order_id


def sweep(functions: Functions) -> Any:
    return functions.call("Sweeper", {})


def test_mails_and_ends_that_no_stream_brought_are_sent_once(functions: Functions, told: list[str]) -> None:
    ids = {completed(functions) for _ in range(3)}
    assert sweep(functions) == {"mails": 3, "news": 3}
    assert set(told) == ids
    assert all({"sent_at", "expires_at"} <= row.keys() for row in functions.scan("mail"))
    assert sweep(functions) == {"mails": 0, "news": 0}


def test_what_the_streams_brought_is_not_found(functions: Functions, told: list[str]) -> None:
    order_id = str(uuid4())
    before = functions.scan("orders")
    for name in DONE:
        before = functions.scan("orders")
        functions.call(name, functions.order(order_id))
    (mail,), (order,) = functions.scan("mail"), functions.scan("orders")
    keys = {"order_id": mail["order_id"], "mail": mail["mail"]}
    functions.call("Mailer", stream("INSERT", Keys=keys))
    functions.call("Publisher", stream("MODIFY", OldImage=before[0], NewImage=order))
    assert sweep(functions) == {"mails": 0, "news": 0}
    assert "news" not in functions.scan("orders")[0], "the mark's removal would be news"


def stream(name: str, **images: Any) -> Any:
    return {"Records": [{"eventName": name, "dynamodb": {"SequenceNumber": "7", **images}}]}


def test_a_fresh_mail_is_left_to_the_stream(functions: Functions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "AGE", 60_000)
    completed(functions)
    assert sweep(functions) == {"mails": 0, "news": 0}


def test_one_that_cannot_be_sent_stops_no_other_and_is_an_error_of_the_function(
    functions: Functions, told: list[str]
) -> None:
    completed(functions)
    functions.settings(EXPEDITER_TOPIC="arn:aws:sns:us-east-1:123456789012:gone")
    with pytest.raises(SweepFailed, match="1 of 2"):
        sweep(functions)
    assert len(told) == 1


def test_the_publisher_is_called_for_what_a_customer_sees_and_the_end_is_marked(functions: Functions) -> None:
    order_id, seen = str(uuid4()), {}
    for name in DONE:
        functions.call(name, functions.order(order_id))
        (row,) = functions.scan("orders")
        seen[name] = row.keys() & {"news", "untold"}
    assert seen == {
        "InitializeOrder": {"news"},
        "ProcessPayment": {"news"},
        "SendOrderToRestaurant": set(),
        "CompleteOrder": {"news", "untold"},
    }


def test_a_refused_mail_is_sent_when_an_operator_asks(functions: Functions, monkeypatch: pytest.MonkeyPatch) -> None:
    order_id = completed(functions, email="ann@example.com")
    functions.settings(EXPEDITER_MAIL_FROM="orders@example.com")
    with Stubber(clients.sesv2()) as ses:
        ses.add_client_error("send_email", "MessageRejected")
        sweep(functions)
    assert len([row for row in functions.scan("mail") if "refused_at" in row]) == 1
    assert sweep(functions)["mails"] == 0

    monkeypatch.setattr(deployed, "tables_of", lambda _: Tables(Name.ORDERS, Name.CLAIMS, Name.LEDGER, Name.MAIL))
    done = CliRunner().invoke(app, ["mails", "resend", order_id, "--stack", "Orders-dev"])
    assert (done.exit_code, done.stdout) == (0, f"1 mail of the order {order_id} sent by the next sweep.\n")
    with Stubber(clients.sesv2()) as ses:
        ses.add_response("send_email", {}, {"FromEmailAddress": ANY, "Destination": ANY, "Content": ANY})
        assert sweep(functions)["mails"] == 1
        ses.assert_no_pending_responses()
    assert all("sent_at" in row and "refused_at" not in row for row in functions.scan("mail"))


def test_whatever_a_subscriber_sees_changed_is_news() -> None:
    before = an_order()
    changes: dict[str, Any] = {
        "status": Status.PAID,
        "name": "x",
        "restaurant_id": "x",
        "currency": "EUR",
        "error_message": "no",
    }
    changes["items"] = (Item("a", 1, 1),)
    for name, value in changes.items():
        after = msgspec.structs.replace(before, **{name: value})
        assert order_json(after) != order_json(before)
        assert is_news(before, after)
    hidden = msgspec.structs.replace(before, version=9, updated_at=before.updated_at + 1)
    assert {**order_json(hidden), "updatedAt": None} == {**order_json(before), "updatedAt": None}
    assert not is_news(before, hidden)
