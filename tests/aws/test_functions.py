"""The functions, event by event, over moto."""

import importlib
import inspect
import json
from typing import Any
from uuid import uuid4

import pytest
from botocore.stub import ANY, Stubber

from expediter import contracts
from expediter.api.access import TokenClaims, caller_of
from expediter.app.idempotency import own_id
from expediter.app.ports import Outcome
from expediter.aws import clients
from expediter.aws.functions import tasks
from expediter.aws.functions.publisher import changed
from expediter.aws.functions.table import FUNCTIONS, TASK_FUNCTIONS
from expediter.aws.stores.items import item_of
from expediter.domain.order import Item, Status
from tests.aws.stage import ANN, BURGERS, OLGA, Functions
from tests.support.values import an_order

BODY = json.dumps(BURGERS).encode()
SAVED = ["InitializeOrder"]
PAID = [*SAVED, "ProcessPayment"]
DONE = [*PAID, "SendOrderToRestaurant", "CompleteOrder"]


def run(functions: Functions, names: list[str]) -> str:
    order_id = str(uuid4())
    for name in names:
        functions.call(name, functions.order(order_id))
    return order_id


def test_the_functions_of_the_tasks_are_the_placeholders_of_the_workflow() -> None:
    states = json.loads(contracts.read("order.asl.json"))["States"].values()
    tasks_of_ours = [state for state in states if state["Type"] == "Task"]
    named = {state.get("Parameters", {}).get("FunctionName", state["Resource"]) for state in tasks_of_ours}
    assert named == {f"${{{name}}}" for name in TASK_FUNCTIONS}
    assert all(hasattr(tasks, path.rpartition(".")[2]) for path in TASK_FUNCTIONS.values())


@pytest.mark.parametrize("module", sorted({path.rpartition(".")[0] for path in FUNCTIONS.values()}))
def test_a_handler_and_all_around_it_is_under_forty_lines(module: str) -> None:
    assert len(inspect.getsource(importlib.import_module(module)).splitlines()) < 40


# ── tasks ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_tasks_lead_an_order_to_success_with_its_ledger_and_mail(functions: Functions) -> None:
    order_id = run(functions, DONE)
    answer = functions.rest("GET", f"/orders/{order_id}")
    assert (answer["statusCode"], answer["body"]["order_status"]) == (200, "SUCCESS")
    assert [(row["entry"]["S"], row["amount"]["N"]) for row in functions.scan("ledger")] == [
        (f"charge#{order_id}/charge", "3000")
    ]
    assert [row["mail"]["S"] for row in functions.scan("mail")] == ["SUCCESS#operators"]


def test_a_task_repeated_changes_nothing(functions: Functions) -> None:
    order_id = run(functions, DONE)
    for name in reversed(DONE):
        functions.call(name, functions.order(order_id))
    assert functions.rest("GET", f"/orders/{order_id}")["body"]["order_status"] == "SUCCESS"
    assert (len(functions.scan("ledger")), len(functions.scan("mail"))) == (1, 1)


def test_an_error_goes_out_by_its_name(functions: Functions) -> None:
    functions.settings(EXPEDITER_PAYMENTS="http://127.0.0.1:9")
    with pytest.raises(Exception, match="did not answer") as raised:
        run(functions, PAID)
    assert type(raised.value).__name__ == "PaymentUnavailable"


# ── APIs ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_another_s_order_is_not_found_by_either_api_and_an_operator_finds_it(functions: Functions) -> None:
    order_id = run(functions, SAVED)
    for method, path in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/cancel"), ("GET", "/timeline")):
        event: Any = {"headers": {"content-type": "application/json"}, "body": "{}"}
        answer = functions.rest(method, f"/orders/{order_id}{path}", OLGA, **event)
        assert (answer["statusCode"], answer["body"]["error"]) == (404, "OrderNotFound")
        assert answer["headers"]["Retry-After"] == "1"
    assert functions.graphql("Mutation.cancelOrder", OLGA, id=order_id)["error"]["type"] == "OrderNotFound"
    assert functions.graphql("Subscription.orderUpdated", OLGA, id=order_id)["error"]["type"] == "OrderNotFound"
    assert functions.rest("GET", f"/orders/{order_id}", OLGA, "operators")["statusCode"] == 200
    assert functions.graphql("Query.order", OLGA, ("operators",), id=order_id)["value"]["id"] == order_id


def test_a_customer_is_no_operator_and_a_call_without_a_user_has_no_caller(functions: Functions) -> None:
    assert functions.rest("GET", "/dlq")["statusCode"] == 403
    assert functions.rest("GET", "/orders", user=None)["statusCode"] == 401
    assert functions.graphql("Query.orders", user=None)["error"]["type"] == "Unauthorized"
    assert functions.graphql("Mutation.publishOrder", id=str(uuid4()))["error"]["type"] == "ScopeMissing"


@pytest.mark.parametrize("api", ["REST", "GraphQL"])
def test_a_cancel_that_meets_a_write_of_the_workflow_looks_again(functions: Functions, api: str) -> None:
    order_id = run(functions, PAID)
    functions.before_a_write(lambda: functions.call("SendOrderToRestaurant", functions.order(order_id)))
    if api == "REST":
        answer = functions.rest("POST", f"/orders/{order_id}/cancel")
        assert (answer["statusCode"], answer["body"]["error"]) == (409, "OrderAlreadySent")
    else:
        answer = functions.graphql("Mutation.cancelOrder", id=order_id)
        assert answer["error"]["type"] == "OrderAlreadySent"


def test_a_cancel_that_meets_the_charge_finds_the_order_paid(functions: Functions) -> None:
    order_id = run(functions, SAVED)
    functions.before_a_write(lambda: functions.call("ProcessPayment", functions.order(order_id)))
    answer = functions.rest("POST", f"/orders/{order_id}/cancel")
    assert (answer["statusCode"], answer["body"]["order_status"]) == (200, "REFUND_PENDING")


def test_an_order_by_graphql_is_on_the_queue_before_its_key_is_taken(functions: Functions) -> None:
    key, order = str(uuid4()), {"name": "Burger", "quantity": 3, "restaurantId": "Restaurant 4"}
    placed = functions.graphql("Mutation.postOrder", input=order, idempotencyKey=key)["value"]
    again = functions.graphql("Mutation.postOrder", input=order, idempotencyKey=key)["value"]
    other = functions.graphql("Mutation.postOrder", input={**order, "quantity": 4}, idempotencyKey=key)

    assert (placed["id"], placed["userId"], placed["orderStatus"]) == (
        own_id(caller_of(TokenClaims(ANN)), key),
        ANN,
        "PENDING",
    )
    assert again["id"] == placed["id"]
    assert other["error"]["type"] == "IdempotencyKeyReused"
    with functions.adapters.unit() as work:
        (message,) = work.queue.receive(5, 0)
    terms = {"default_price": "1000", "currency": "USD", "hold_seconds": "30"}
    assert message.attributes == {"order_id": placed["id"], **terms}


def test_a_message_that_cannot_be_sent_takes_no_key(functions: Functions) -> None:
    order = {"name": "Burger", "quantity": 3, "restaurantId": "Restaurant 4"}
    functions.settings(EXPEDITER_QUEUE_URL=functions.adapters.queue_url + "-gone")
    lost = functions.graphql("Mutation.postOrder", input=order, idempotencyKey=str(uuid4()))
    assert (lost["error"]["type"], functions.scan("claims")) == ("StoreUnavailable", [])


def test_a_fault_comes_with_its_path(functions: Functions) -> None:
    error = functions.graphql("Mutation.postOrder", input={"restaurantId": "Restaurant 4", "name": "Burger"})["error"]
    assert [fault["path"] for fault in error["faults"]] == ["input.quantity"]


def test_the_parameters_of_the_query_are_read(functions: Functions) -> None:
    order_id = run(functions, SAVED)
    query = {"order_status": ["PENDING"], "limit": ["1"]}
    answer = functions.rest("GET", "/orders", multiValueQueryStringParameters=query)
    assert [order["id"] for order in answer["body"]["items"]] == [order_id]


def test_no_value_of_a_stored_order_spoils_a_page(functions: Functions) -> None:
    """What a type cannot hold is AppSync's to make null; the function gives every order of the page."""
    before = run(functions, SAVED)
    big = (Item("a", 2**31 - 1, 0), Item("b", 2**63, 2**63))
    odd = an_order(id=str(uuid4()), user_id=ANN, items=big, updated_at=2**62, version=1)
    with functions.adapters.unit() as work:
        work.orders.apply(None, Outcome(odd))
    after = run(functions, SAVED)

    listed = functions.graphql("Query.orders")["value"]
    assert {one["id"] for one in listed} == {before, odd.id, after}
    (shown,) = (one for one in listed if one["id"] == odd.id)
    assert (shown["quantity"], shown["updatedAt"][0]) == (2**31 - 1 + 2**63, "+")
    assert len(functions.rest("GET", "/orders")["body"]["items"]) == 3


@pytest.mark.parametrize("email", ["a..b@example.com", "a@b-.com", "用户@example.com"])
def test_an_address_that_ses_can_never_mail_is_refused(functions: Functions, email: str) -> None:
    # Of an operator: mail for a customer goes to the address that the token tells, whatever the order names.
    order = {"restaurantId": "Restaurant 4", "name": "Burger", "quantity": 3, "email": email}
    error = functions.graphql("Mutation.postOrder", groups=("operators",), input=order)["error"]
    assert (error["type"], [fault["path"] for fault in error["faults"]]) == ("OrderInvalid", ["input.email"])


def test_quantities_that_add_up_to_too_much_are_refused_by_graphql_too(functions: Functions) -> None:
    items = [{"name": "a", "quantity": 2**31 - 1, "unitPrice": 0}, {"name": "b", "quantity": 1, "unitPrice": 0}]
    error = functions.graphql("Mutation.postOrder", input={"restaurantId": "Restaurant 4", "items": items})["error"]
    assert (error["type"], [fault["path"] for fault in error["faults"]]) == ("OrderInvalid", ["input.items"])


def test_a_list_that_cannot_be_is_refused_with_a_sentence_about_lists(functions: Functions) -> None:
    sentence = "The list cannot be given as it was asked for: limit: give a whole number from 1 to 100."
    answer = functions.rest("GET", "/orders", multiValueQueryStringParameters={"limit": ["0"]})
    assert (answer["statusCode"], answer["body"]["detail"]) == (422, sentence)
    assert functions.graphql("Query.orders", limit=0)["error"]["message"] == sentence
    assert functions.graphql("Query.orders", after="x")["error"]["message"].startswith("The list cannot be given")


# ── streams ───────────────────────────────────────────────────────────────────────────────────────────────────────


def stream(name: str, **images: Any) -> Any:
    return {"Records": [{"eventName": name, "dynamodb": {"SequenceNumber": "7", **images}}]}


def key_of(row: Any) -> Any:
    return {"order_id": row["order_id"], "mail": row["mail"]}


def test_a_mail_goes_to_the_topic_once_with_what_filters_need(functions: Functions) -> None:
    run(functions, DONE)
    (row,) = functions.scan("mail")
    for _ in range(2):
        assert functions.call("Mailer", stream("INSERT", Keys=key_of(row))) == {"batchItemFailures": []}
    (marked,) = functions.scan("mail")
    assert "sent_at" in marked
    assert row["subject"]["S"] == f"Orders-App: Update for order {row['order_id']['S']}"


def test_a_mail_that_cannot_be_sent_stops_the_stream_there(functions: Functions) -> None:
    run(functions, DONE)
    functions.settings(EXPEDITER_TOPIC="arn:aws:sns:us-east-1:123456789012:gone")
    event = stream("INSERT", Keys=key_of(functions.scan("mail")[0]))
    assert functions.call("Mailer", event) == {"batchItemFailures": [{"itemIdentifier": "7"}]}


def test_customers_get_mail_only_where_there_is_a_sender(functions: Functions) -> None:
    order_id = str(uuid4())
    for name in DONE:
        functions.call(name, functions.order(order_id, email="ann@example.com"))
    (row,) = [row for row in functions.scan("mail") if row["recipient"]["S"] == "ann@example.com"]
    functions.call("Mailer", stream("INSERT", Keys=key_of(row)))
    assert not any("sent_at" in row for row in functions.scan("mail"))

    functions.adapters.session.client("sesv2").create_email_identity(EmailIdentity="orders@example.com")
    functions.settings(EXPEDITER_MAIL_FROM="orders@example.com")
    functions.call("Mailer", stream("INSERT", Keys=key_of(row)))
    assert [row["recipient"]["S"] for row in functions.scan("mail") if "sent_at" in row] == ["ann@example.com"]


@pytest.mark.parametrize("refused", ["BadRequestException", "MessageRejected", "MailFromDomainNotVerifiedException"])
def test_a_mail_that_is_refused_for_good_holds_up_nobody_s_and_too_many_mails_do(
    functions: Functions, refused: str
) -> None:
    given = functions.order(str(uuid4()), email="ann@example..com")
    for name in DONE:
        functions.call(name, given)
    (row,) = [row for row in functions.scan("mail") if row["recipient"]["S"] == "ann@example..com"]
    event = stream("INSERT", Keys=key_of(row))
    functions.settings(EXPEDITER_MAIL_FROM="orders@example.com")
    with Stubber(clients.sesv2()) as ses, Stubber(clients.sns()) as sns:
        sns.add_response("publish", {}, {"TopicArn": ANY, "Subject": ANY, "Message": ANY})
        ses.add_client_error("send_email", "TooManyRequestsException")
        assert functions.call("Mailer", event) == {"batchItemFailures": [{"itemIdentifier": "7"}]}
        ses.add_client_error("send_email", refused)
        for _ in range(2):
            assert functions.call("Mailer", event) == {"batchItemFailures": []}
        ses.assert_no_pending_responses()
        sns.assert_no_pending_responses()  # operators were told once
    assert [row["recipient"]["S"] for row in functions.scan("mail") if "refused_at" in row] == ["ann@example..com"]


def test_news_is_what_a_subscriber_would_see() -> None:
    before, after = an_order(), an_order(version=2, updated_at=9)
    record = stream("MODIFY", OldImage=item_of(before), NewImage=item_of(after))["Records"][0]
    assert not changed(record)
    record["dynamodb"]["NewImage"] = item_of(an_order(status=Status.PAID))
    assert changed(record)
    assert not changed(stream("REMOVE", OldImage=item_of(before))["Records"][0])


def test_a_new_order_is_published_and_an_imported_one_is_not() -> None:
    assert changed(stream("INSERT", NewImage=item_of(an_order()))["Records"][0])
    for moved in (an_order(status=Status.SUCCESS), an_order(status=Status.FAILED, deleted_at=9)):
        assert not changed(stream("INSERT", NewImage=item_of(moved))["Records"][0])


def test_pages_of_the_allowed_origin_may_read_answers_and_errors(functions: Functions) -> None:
    assert "Access-Control-Allow-Origin" not in functions.rest("GET", "/orders")["headers"]
    functions.settings(EXPEDITER_ALLOWED_ORIGIN="https://shop.example.com")
    for path in ("/orders", "/nowhere"):
        assert functions.rest("GET", path)["headers"]["Access-Control-Allow-Origin"] == "https://shop.example.com"
