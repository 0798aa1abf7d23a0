"""A real order through the synthesised stack: SQS, the intake, Step Functions, the functions, DynamoDB, SNS."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from expediter.api.access import TokenClaims, caller_of
from expediter.app.idempotency import own_id
from tests.aws.local.town import ANN, Town
from tests.support.patience import until
from tests.support.town import Act
from tests.support.town import Town as Outside

BURGERS = {"user_id": ANN, "restaurant_id": "Restaurant 4", "quantity": "3", "name": 'Käse & "Brot" 🍔'}
OPERATOR = {"cognito:groups": "operators"}
DONE = ["InitializeOrder", "ProcessPayment", "PaymentChoice", "Hold"]


def place(town: Town, key: str, body: str = json.dumps(BURGERS)) -> None:
    """Posts the order and has it taken in."""
    assert town.post(body, {"Idempotency-Key": f'"{key}"'}, **OPERATOR)["Order-Id"] == key
    assert town.poll() == 1


def states(town: Town, order_id: str) -> list[str]:
    events = town.rest("GET", f"/orders/{order_id}/timeline")[1]["events"]
    return [event["details"]["name"] for event in events if event["type"].endswith("StateEntered")]


def order(town: Town, order_id: str) -> Any:
    return town.rest("GET", f"/orders/{order_id}")[1]


@pytest.fixture
def key() -> str:
    return str(uuid.uuid4())


@pytest.fixture
def order_id(key: str) -> str:
    """The id of Ann's order under the key."""
    return own_id(caller_of(TokenClaims(ANN)), key)


def test_an_order_goes_all_the_way_and_the_operators_hear_of_it(
    town: Town, outside: Outside, key: str, order_id: str
) -> None:
    place(town, key)
    assert town.ended(order_id) == "SUCCEEDED"

    found = order(town, order_id)
    assert (found["order_status"], found["user_id"], found["name"]) == ("SUCCESS", ANN, BURGERS["name"])
    assert town.ledger(order_id) == [("charge", 3000)]
    assert outside.taken(order_id) == 3000
    assert order_id in outside.kitchen.cooking
    assert states(town, order_id) == [*DONE, "SendOrderToRestaurant", "RestaurantChoice", "CompleteOrder"]
    town.follow_mail()
    (news,) = [it for it in town.heard() if order_id in it["Subject"]]
    assert news["Subject"] == f"Orders-App: Update for order {order_id}"
    assert news["MessageAttributes"]["status"]["Value"] == "SUCCESS"
    assert news["MessageAttributes"]["restaurant"]["Value"] == "Restaurant 4"


def test_a_declined_order_fails_and_nothing_is_taken(town: Town, outside: Outside, key: str, order_id: str) -> None:
    outside.bank.script("charge", Act.REFUSE, order_id=order_id)
    place(town, key)
    assert town.ended(order_id) == "SUCCEEDED"
    assert (order(town, order_id)["order_status"], town.ledger(order_id)) == ("FAILED", [])
    assert outside.moves(order_id) == []


def test_a_restaurant_that_refuses_leads_to_a_refund(town: Town, outside: Outside, key: str, order_id: str) -> None:
    outside.kitchen.script("handover", Act.REFUSE, order_id=order_id)
    place(town, key)
    assert town.ended(order_id) == "SUCCEEDED"
    assert order(town, order_id)["order_status"] == "FAILED"
    assert town.ledger(order_id) == [("charge", 3000), ("refund", 3000)]
    assert outside.moves(order_id) == ["charge", "refund"]


def test_a_restaurant_that_is_down_is_tried_again_and_then_the_money_goes_back(
    town: Town, outside: Outside, key: str, order_id: str
) -> None:
    outside.kitchen.script("handover", *[Act.FAIL] * 9, order_id=order_id)
    place(town, key)
    assert town.ended(order_id) == "SUCCEEDED"
    assert order(town, order_id)["order_status"] == "FAILED"
    assert outside.calls(order_id).count("handover") == 6
    assert outside.moves(order_id) == ["charge", "refund"]


def test_an_order_cancelled_in_the_hold_is_refunded(town: Town, outside: Outside, key: str, order_id: str) -> None:
    town.tell("Intake", hold_seconds="10")
    place(town, key)
    town.tell("Intake", hold_seconds="0")
    until(lambda: town.rest("GET", f"/orders/{order_id}")[0] == 200, "the order has its row")
    cancelled = town.rest("POST", f"/orders/{order_id}/cancel")
    assert cancelled[0] == 200, cancelled
    assert town.ended(order_id) == "SUCCEEDED"
    assert order(town, order_id)["order_status"] == "CANCELLED"
    assert outside.taken(order_id) == 0


def test_a_message_twice_and_a_key_twice_are_one_order(town: Town, outside: Outside, key: str, order_id: str) -> None:
    place(town, key)
    place(town, key)
    assert town.ended(order_id) == "SUCCEEDED"
    assert outside.moves(order_id) == ["charge"]


def test_another_order_under_a_key_and_a_poison_message_end_as_dead_letters(
    town: Town, key: str, order_id: str
) -> None:
    place(town, key)
    town.post(json.dumps({**BURGERS, "quantity": 4}), {"Idempotency-Key": key}, **OPERATOR)
    town.post("no order", {"Idempotency-Key": str(uuid.uuid4())})

    def both() -> list[Any]:
        town.poll()
        found: list[Any] = town.rest("GET", "/dlq", groups="operators")[1]["items"]
        return found if len(found) == 2 else []

    dead = until(both, "both messages are dead letters")
    assert {letter["reason"].split(":")[0] for letter in dead} == {"IdempotencyKeyReused", "OrderInvalid"}
    assert town.ended(order_id) == "SUCCEEDED"
    purged = town.rest("DELETE", "/dlq", groups="operators")
    assert (purged[0], purged[1]["purged"]) == (200, 2)


def test_a_transaction_that_fails_undoes_nobody_else_s_write(town: Town) -> None:
    """moto puts back the whole table as it was when the transaction began: a cancel that was answered would be gone."""
    client, table = town.client("dynamodb"), town._output("StoreClaims")
    never = {"TableName": table, "Item": {"id": {"S": "no"}}, "ConditionExpression": "attribute_exists(absent)"}
    keys = [{"id": {"S": f"kept {number}"}} for number in range(100)]

    def fail() -> None:
        for _ in keys:
            with pytest.raises(client.exceptions.TransactionCanceledException):
                client.transact_write_items(TransactItems=[{"Put": never}])

    with ThreadPoolExecutor(2) as pool:
        failing = [pool.submit(fail) for _ in range(2)]
        for key in keys:
            client.put_item(TableName=table, Item=key)
        for one in failing:
            one.result()
    assert [key for key in keys if "Item" not in client.get_item(TableName=table, Key=key, ConsistentRead=True)] == []
    for key in keys:
        client.delete_item(TableName=table, Key=key)


def test_a_transaction_that_fails_undoes_what_it_did(town: Town) -> None:
    """moto's way of undoing is replaced by a cheaper one here: see share_rows."""
    client, table = town.client("dynamodb"), town._output("StoreClaims")
    old, key = {"id": {"S": "old"}, "of": {"S": "before"}}, {"id": {"S": "old"}}
    client.put_item(TableName=table, Item=old)
    update = {
        "TableName": table,
        "Key": key,
        "UpdateExpression": "SET #of = :of",
        "ExpressionAttributeNames": {"#of": "of"},
        "ExpressionAttributeValues": {":of": {"S": "after"}},
    }
    never = {"TableName": table, "Item": {"id": {"S": "no"}}, "ConditionExpression": "attribute_exists(absent)"}
    done: list[Any] = [{"Put": {"TableName": table, "Item": {"id": {"S": "new"}}}}, {"Update": update}]
    with pytest.raises(client.exceptions.TransactionCanceledException):
        client.transact_write_items(TransactItems=[*done, {"Put": never}])
    assert client.get_item(TableName=table, Key=key)["Item"] == old
    assert "Item" not in client.get_item(TableName=table, Key={"id": {"S": "new"}})
    client.transact_write_items(TransactItems=done)
    assert client.get_item(TableName=table, Key=key)["Item"]["of"] == {"S": "after"}
    for name in ("old", "new"):
        client.delete_item(TableName=table, Key={"id": {"S": name}})
