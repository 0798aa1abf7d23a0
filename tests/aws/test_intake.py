"""The intake, message by message, over moto."""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest

from expediter.api.access import TokenClaims, caller_of
from expediter.app.idempotency import own_id
from expediter.app.ports import DeadLetter
from expediter.aws import clients, clock
from expediter.aws.stores.queue import PATIENCE
from tests.aws.stage import ANN, BURGERS, OLGA, Functions

BODY = json.dumps(BURGERS).encode()
BOB = str(UUID(int=3))


def executions(functions: Functions) -> list[Any]:
    """The inputs of all executions that were started."""
    client, machine = functions.adapters.stepfunctions, functions.adapters.machine
    found = client.list_executions(stateMachineArn=machine)["executions"]
    return [json.loads(client.describe_execution(executionArn=one["executionArn"])["input"]) for one in found]


def test_a_message_starts_an_execution_named_by_its_order(functions: Functions) -> None:
    order_id = str(uuid4())
    assert functions.call("Intake", {"Records": [functions.message(BODY, order_id=order_id)]}) == {
        "batchItemFailures": []
    }
    (started,) = executions(functions)
    assert (started["order"]["id"], started["order"]["user_id"], started["hold_seconds"]) == (order_id, "somebody", 30)


def test_a_customer_orders_for_himself_and_an_operator_for_anybody(functions: Functions) -> None:
    for caller, user, groups in ((ANN, ANN, ""), (OLGA, "somebody", "[cooks operators]")):
        body = json.dumps({**BURGERS, "user_id": user}).encode()
        record = functions.message(body, order_id=str(uuid4()), caller=caller, groups=groups)
        assert functions.call("Intake", {"Records": [record]}) == {"batchItemFailures": []}
    assert {started["order"]["user_id"] for started in executions(functions)} == {ANN, "somebody"}


def test_both_spellings_of_a_name_are_one_customer(functions: Functions) -> None:
    """ë as one code point, and as e with two dots."""
    order_id = str(uuid4())
    for name in ("Zoe\u0308", "Zo\u00eb"):
        body = json.dumps({**BURGERS, "user_id": name}).encode()
        record = functions.message(body, order_id=order_id)
        assert functions.call("Intake", {"Records": [record]}) == {"batchItemFailures": []}
    (started,) = executions(functions)
    assert started["order"]["user_id"] == "Zo\u00eb"


@pytest.mark.parametrize("caller", [{}, {"caller": ANN}])
@pytest.mark.parametrize("order_id", ["x" * 256, '" "', "caf\u00e9", "a,b"])
def test_a_message_whose_key_is_none_is_a_dead_letter(
    functions: Functions, caller: dict[str, str], order_id: str
) -> None:
    body = json.dumps({**BURGERS, "user_id": ANN}).encode()
    record = received(functions.message(body, order_id=order_id, **caller), 3)
    functions.call("Intake", {"Records": [record]})
    assert "no UUID as its order_id" in letters(functions)[0].reason
    assert executions(functions) == []


def test_an_order_for_somebody_else_is_a_dead_letter(functions: Functions) -> None:
    record = received(functions.message(BODY, order_id=str(uuid4()), caller=ANN), 3)
    functions.call("Intake", {"Records": [record]})
    assert letters(functions)[0].reason.startswith("OwnerRefused: ")
    assert executions(functions) == []


def test_a_card_number_is_a_dead_letter_without_the_number(functions: Functions) -> None:
    body = json.dumps({**BURGERS, "name": "4242 4242 4242 4242"}).encode()
    record = received(functions.message(body, order_id=str(uuid4()), caller=OLGA, groups="operators"), 3)
    functions.call("Intake", {"Records": [record]})
    (letter,) = letters(functions)
    assert letter.reason.startswith("OrderInvalid: ")
    assert b"4242" not in letter.body
    assert "4242" not in letter.reason
    assert executions(functions) == []


def test_an_order_for_the_name_of_erased_customers_is_refused(functions: Functions) -> None:
    """The name stands for customers who were erased, so an order of that name would be nobody's."""
    body = json.dumps({**BURGERS, "user_id": "(erased)"}).encode()
    record = received(functions.message(body, order_id=str(uuid4()), caller=OLGA, groups="operators"), 3)
    functions.call("Intake", {"Records": [record]})
    (letter,) = letters(functions)
    assert letter.reason.startswith("OrderInvalid: ")
    assert "user_id" in letter.reason
    assert executions(functions) == []


def test_a_key_of_another_caller_reveals_nothing_and_stops_nobody(functions: Functions) -> None:
    """Whoever used it before, customers, an operator or a program: each finds his own order under it, and only that."""
    key = str(uuid4())
    callers = {user: TokenClaims(user) for user in (ANN, BOB)} | {
        OLGA: TokenClaims(OLGA, groups=("operators",)),
        "till": TokenClaims("till", "till", "expediter/orders:write"),
        "shop": TokenClaims("shop", "shop", "expediter/orders:write"),
    }
    for sub, claims in callers.items():
        body = json.dumps({**BURGERS, "user_id": sub}).encode()
        told = {"client_id": claims.client_id or "-", "scope": claims.scope or "-", "groups": ",".join(claims.groups)}
        for _ in range(2):
            record = functions.message(body, order_id=key.upper(), caller=sub, **told)
            assert functions.call("Intake", {"Records": [record]}) == {"batchItemFailures": []}
    started = executions(functions)
    ids = {sub: own_id(caller_of(claims), key) for sub, claims in callers.items()}
    assert len({*ids.values(), key}) == len(callers) + 1
    assert sorted((one["order"]["user_id"], one["order"]["id"]) for one in started) == sorted(ids.items())
    for order in started:
        functions.call("InitializeOrder", order)
    for user, groups in ((ANN, ""), (BOB, ""), (OLGA, "operators")):
        found = functions.rest("GET", f"/orders/{key}", user, groups)["body"]
        assert (found["id"], found["user_id"]) == (ids[user], user)
    for user, groups in ((str(uuid4()), ""), (str(uuid4()), "operators")):
        assert functions.rest("GET", f"/orders/{key}", user, groups)["statusCode"] == 404


def test_a_key_that_is_the_id_of_another_order_is_a_key_like_any_other(functions: Functions) -> None:
    """Also when that order was not sent by an API, or was imported."""
    taken = str(uuid4())
    body = json.dumps({**BURGERS, "user_id": OLGA}).encode()
    for told in ({}, {"caller": OLGA, "groups": "operators"}):
        record = functions.message(body, order_id=taken, **told)
        assert functions.call("Intake", {"Records": [record]}) == {"batchItemFailures": []}
    own = own_id(caller_of(TokenClaims(OLGA, groups=("operators",))), taken)
    assert {one["order"]["id"] for one in executions(functions)} == {taken, own}


def test_another_order_of_the_same_customer_under_his_key_is_refused(functions: Functions) -> None:
    key = str(uuid4())
    for quantity, failures in ((3, 0), (3, 0), (4, 1)):
        body = json.dumps({**BURGERS, "user_id": ANN, "quantity": quantity}).encode()
        record = received(functions.message(body, order_id=key, caller=ANN), 3)
        assert len(functions.call("Intake", {"Records": [record]})["batchItemFailures"]) == failures
    (letter,) = letters(functions)
    assert letter.reason.startswith("IdempotencyKeyReused: ")
    assert letter.attributes["order_id"] == key  # as it came: sent back to the queue it is taken in the same way


def received(record: dict[str, Any], count: int, sent_at: int | None = None) -> dict[str, Any]:
    """The record as if it was received so often."""
    attributes = {**record["attributes"], "ApproximateReceiveCount": str(count)}
    return {**record, "attributes": attributes | ({"SentTimestamp": str(sent_at)} if sent_at is not None else {})}


def letters(functions: Functions) -> list[DeadLetter]:
    return list(functions.adapters.work().dead_letters.page(10))


def hidden_for() -> tuple[list[int], Any]:
    """Where the seconds are listed for which a message is hidden anew, and what lists them."""
    seconds: list[int] = []

    def note(params: dict[str, Any], **_: Any) -> None:
        seconds.append(json.loads(params["body"])["VisibilityTimeout"])

    return seconds, note


def test_one_poisoned_message_fails_alone_and_keeps_its_reason(functions: Functions) -> None:
    records = [functions.message(BODY, order_id=str(uuid4())) for _ in range(4)]
    poison = received(functions.message(b"no order", order_id=str(uuid4())), 3)
    failed = functions.call("Intake", {"Records": [*records[:2], poison, *records[2:]]})

    assert failed == {"batchItemFailures": [{"itemIdentifier": poison["messageId"]}]}
    assert len(executions(functions)) == 4
    (letter,) = letters(functions)
    assert letter.reason.startswith("OrderInvalid: ")
    assert letter.body == b"no order"


def test_a_message_that_is_no_order_is_tried_twice_more_before_it_dies(functions: Functions) -> None:
    poison = functions.message(b"no order", order_id=str(uuid4()))
    for count in (1, 2):
        functions.call("Intake", {"Records": [received(poison, count)]})
        assert letters(functions) == []
    functions.call("Intake", {"Records": [received(poison, 3)]})
    assert len(letters(functions)) == 1


def test_what_is_not_the_message_s_fault_comes_again_later_each_time_and_does_not_die(functions: Functions) -> None:
    record = functions.message(BODY, order_id=str(uuid4()))
    seconds, note = hidden_for()
    clients.sqs().meta.events.register("before-call.sqs.ChangeMessageVisibility", note)
    functions.break_down("dynamodb")
    for count in (1, 2, 3, 4, 5, 60):
        answer = functions.call("Intake", {"Records": [received(record, count, clock.now())]})
        assert answer == {"batchItemFailures": [{"itemIdentifier": record["messageId"]}]}
    assert seconds == [2, 15, 60, 300, 900, 900]
    assert letters(functions) == []


def test_what_fails_for_more_than_a_day_is_a_dead_letter_with_its_reason(functions: Functions) -> None:
    record = functions.message(BODY, order_id=str(uuid4()))
    functions.break_down("dynamodb")
    functions.call("Intake", {"Records": [received(record, 90, clock.now() - PATIENCE - 1)]})
    (letter,) = letters(functions)
    assert letter.reason.startswith("StoreUnavailable: ")
    assert letter.attributes == {"order_id": record["messageAttributes"]["order_id"]["stringValue"]}


def test_a_queue_that_does_not_answer_takes_no_good_message_of_the_batch_along(functions: Functions) -> None:
    good = [functions.message(BODY, order_id=str(uuid4())) for _ in range(2)]
    poison = functions.message(b"no order", order_id=str(uuid4()))
    functions.break_down("sqs")
    assert functions.call("Intake", {"Records": [good[0], poison, good[1]]}) == {
        "batchItemFailures": [{"itemIdentifier": poison["messageId"]}]
    }
    assert len(executions(functions)) == 2


@pytest.mark.parametrize("caller", [{}, {"caller": ANN}])
@pytest.mark.parametrize(
    "body",
    [
        b'{"user_id":"a","restaurant_id":"r","quantity":1,"quantity":2}',
        b'{"user_id":"a","restaurant_id":"r","quantity":1,"name":"\\u200b"}',
        '{"user_id":"a","restaurant_id":"\u202er","quantity":1}'.encode(),
    ],
)
def test_what_the_server_refuses_to_read_in_two_ways_dies_in_the_intake_too(
    functions: Functions, body: bytes, caller: dict[str, str]
) -> None:
    record = received(functions.message(body, order_id=str(uuid4()), **caller), 3)
    functions.call("Intake", {"Records": [record]})

    assert letters(functions)[0].reason.startswith("OrderInvalid: ")
    assert executions(functions) == []


def test_the_same_message_twice_is_one_execution_and_another_order_under_its_id_is_refused(
    functions: Functions,
) -> None:
    order_id = str(uuid4())
    other = json.dumps({**BURGERS, "quantity": 4}).encode()
    first, again = functions.message(BODY, order_id=order_id), functions.message(BODY, order_id=order_id)
    different = received(functions.message(other, order_id=order_id), 3)
    failed = functions.call("Intake", {"Records": [first, again, different]})

    assert failed == {"batchItemFailures": [{"itemIdentifier": different["messageId"]}]}
    assert len(executions(functions)) == 1
    assert letters(functions)[0].reason.startswith("IdempotencyKeyReused: ")


def test_a_message_whose_attributes_are_no_texts_fails_alone(functions: Functions) -> None:
    odd, good = functions.message(BODY, order_id="x"), functions.message(BODY, order_id=str(uuid4()))
    odd["messageAttributes"] = {"order_id": {"binaryValue": "AAAA", "dataType": "Binary"}}
    failed = functions.call("Intake", {"Records": [odd, good]})
    assert failed == {"batchItemFailures": [{"itemIdentifier": odd["messageId"]}]}
    assert len(executions(functions)) == 1


def test_an_id_that_is_no_uuid_is_refused(functions: Functions) -> None:
    failed = functions.call("Intake", {"Records": [functions.message(BODY, order_id="forged")]})
    assert len(failed["batchItemFailures"]) == 1
    assert executions(functions) == []


@pytest.mark.parametrize("email", ["a..b@example.com", "a@b-.com", "用户@example.com"])
def test_an_order_whose_address_ses_can_never_mail_is_not_taken_in(functions: Functions, email: str) -> None:
    body = json.dumps({**BURGERS, "email": email}).encode()
    functions.call("Intake", {"Records": [functions.message(body, order_id=str(uuid4()))]})
    assert executions(functions) == []
