"""POST /orders straight to SQS: what the mapping templates make of requests as they came in."""

import json
from typing import Any
from urllib.parse import parse_qs

import pytest

from expediter.api.access import TokenClaims, caller_of
from expediter.app.access import Scope
from expediter.app.idempotency import bare, own_id, uuid_of
from expediter.aws.callers import from_message
from infra.api.openapi import template
from tests.aws.local.gateway import PERSON, Call
from tests.aws.stage import Functions

KEY, REQUEST, ANN = "0198a5c0-0000-7000-8000-00000000abcd", "c0000000-0000-4000-8000-000000000001", "ann"
BODIES = [
    '{"user_id":"Burger_20","quantity":"3","restaurant_id":"Restaurant 4"}',
    '{"user_id": "a&b=c+d%20e;f", "quantity": 1, "restaurant_id": "\\"quotes\\" and \'others\'"}',
    '{"user_id": "Jürgen Größe 🍔 \\ud83c\\udf54", "quantity": 1, "restaurant_id": "東京"}',
    '{\r\n\t"user_id": "u",\n  "restaurant_id": "r",\n "items": [{"name": "#set($x=1) $util ${a}", "quantity": 2}]}\n',
    (
        '{"items": [{"name": "Käse & \\"Brot\\" 🍔", "quantity": 2, "unit_price": 350},'
        ' {"name": "a+b=c%20;", "quantity": "3"}],'
        '"user_id": "u", "restaurant_id": "r", "currency": "EUR", "email": "j\\u0061n@example.com"}'
    ),
    "no JSON at all \\ $",
]
#: Those of them that are orders.
ORDERS = BODIES[:-1]


def sent(body: str, headers: dict[str, str] | None = None, **claims: str) -> tuple[dict[str, Any], dict[str, str]]:
    """The form that SQS gets, its attributes by name, and the headers of the answer."""
    call = Call(body, headers or {}, {"sub": ANN, **claims}, REQUEST)
    text = call.render(template("post_order.request.vtl"))
    assert "\n" not in text
    form = {name: value for name, (value,) in parse_qs(text, strict_parsing=True).items()}
    assert call.render(template("post_order.response.vtl")) == ""
    return form, call.answer


def attributes(form: dict[str, str]) -> dict[str, str]:
    places = [name.split(".")[1] for name in form if name.endswith(".Name")]
    assert all(form[f"MessageAttribute.{place}.Value.DataType"] == "String" for place in places)
    return {form[f"MessageAttribute.{it}.Name"]: form[f"MessageAttribute.{it}.Value.StringValue"] for it in places}


@pytest.mark.parametrize("body", BODIES)
def test_the_body_arrives_byte_for_byte(body: str) -> None:
    form, _ = sent(body)
    assert form["MessageBody"].encode() == body.encode()
    assert (form["Action"], form["Version"]) == ("SendMessage", "2012-11-05")


@pytest.mark.parametrize("body", ORDERS)
def test_what_arrives_is_taken_in_as_the_client_wrote_it(functions: Functions, body: str) -> None:
    form, _ = sent(body, {"Idempotency-Key": KEY}, **{"cognito:groups": "operators"})
    record = functions.message(form["MessageBody"].encode(), **attributes(form))
    assert record["body"].encode() == body.encode()
    assert functions.call("Intake", {"Records": [record]}) == {"batchItemFailures": []}

    client, machine = functions.adapters.stepfunctions, functions.adapters.machine
    (started,) = client.list_executions(stateMachineArn=machine)["executions"]
    taken = json.loads(client.describe_execution(executionArn=started["executionArn"])["input"])["order"]
    wrote = json.loads(body)
    assert taken["id"] == own_id(caller_of(TokenClaims(ANN)), KEY)
    assert (taken["user_id"], taken["restaurant_id"]) == (wrote["user_id"], wrote["restaurant_id"])
    things = wrote.get("items") or [{"name": "item", "quantity": wrote["quantity"]}]
    assert [(it["name"], it["quantity"], it["unit_price"]) for it in taken["items"]] == [
        (it["name"], int(it["quantity"]), it.get("unit_price", 1000)) for it in things
    ]
    assert (taken["currency"], taken["email"]) == (wrote.get("currency", "USD"), wrote.get("email"))


@pytest.mark.parametrize("header", ["Idempotency-Key", "idempotency-key"])
@pytest.mark.parametrize("key", [KEY, f'"{KEY}"', KEY.upper()])
def test_the_key_goes_to_the_intake_as_it_is_and_a_uuid_is_returned_in_small_letters(header: str, key: str) -> None:
    form, answer = sent(BODIES[0], {header: key})
    assert attributes(form) == {"order_id": key, "caller": ANN, **PERSON}
    assert answer == {"Location": f"/dev/orders/{KEY}", "Order-Id": KEY}


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/prod/orders", f"/prod/orders/{KEY}"),
        ("/prod/orders/", f"/prod/orders/{KEY}"),
        ("/orders", f"/orders/{KEY}"),
        ("/shop/v1/orders", f"/shop/v1/orders/{KEY}"),
    ],
)
def test_the_location_is_below_the_address_that_was_called(path: str, location: str) -> None:
    call = Call(BODIES[0], {"Idempotency-Key": KEY}, {"sub": ANN}, REQUEST, path)
    assert call.render(template("post_order.response.vtl")) == ""
    assert call.answer["Location"] == location


def test_without_a_key_the_request_s_own_id_is_the_order_s() -> None:
    form, answer = sent(BODIES[0])
    assert attributes(form)["order_id"] == answer["Order-Id"] == REQUEST


@pytest.mark.parametrize("key", ["", '""'])
def test_an_empty_key_is_none(key: str) -> None:
    form, answer = sent(BODIES[0], {"Idempotency-Key": key})
    assert attributes(form)["order_id"] == answer["Order-Id"] == REQUEST


@pytest.mark.parametrize(
    ("key", "told", "location"),
    [
        ("my-cart-42", "my-cart-42", "my-cart-42"),
        ('"My Cart/42"', "My Cart/42", "My%20Cart%2F42"),
        ('say "hi"', 'say "hi"', "say%20%22hi%22"),
        (r'"say \"hi\""', r'"say \"hi\""', "%22say%20%5C%22hi%5C%22%22"),
    ],
)
def test_a_key_that_is_no_uuid_leads_to_the_order_too(functions: Functions, key: str, told: str, location: str) -> None:
    form, answer = sent(BODIES[0], {"Idempotency-Key": key}, **{"cognito:groups": "operators"})
    assert answer == {"Location": f"/dev/orders/{location}", "Order-Id": told}
    record = functions.message(form["MessageBody"].encode(), **attributes(form))
    assert functions.call("Intake", {"Records": [record]}) == {"batchItemFailures": []}

    client, machine = functions.adapters.stepfunctions, functions.adapters.machine
    (started,) = client.list_executions(stateMachineArn=machine)["executions"]
    assert started["name"] == own_id(caller_of(TokenClaims(ANN)), uuid_of(bare(told)))


def test_a_key_of_blanks_stays_and_dies_in_the_intake(functions: Functions) -> None:
    form, _ = sent(BODIES[0], {"Idempotency-Key": '"  "'})
    record = functions.message(form["MessageBody"].encode(), **attributes(form))

    assert len(functions.call("Intake", {"Records": [record]})["batchItemFailures"]) == 1


def test_the_caller_s_groups_come_along() -> None:
    form, _ = sent(BODIES[0], None, **{"cognito:groups": "cooks,operators"})
    assert attributes(form)["groups"] == "cooks,operators"


def test_a_program_is_known_by_its_client_and_its_scopes() -> None:
    form, _ = sent(BODIES[0], None, sub="shop", client_id="shop", scope="expediter/orders:write expediter/dlq")
    found = attributes(form)
    assert (found["caller"], found["client_id"]) == ("shop", "shop")
    caller = from_message(found)
    assert caller.user_id is None
    assert caller.scopes == {Scope.ORDERS_WRITE, Scope.DLQ, Scope.DLQ_READ}


def test_a_key_cannot_smuggle_another_attribute_in() -> None:
    form, _ = sent(BODIES[0], {"Idempotency-Key": "x&MessageAttribute.2.Value.StringValue=olga"})
    assert attributes(form)["caller"] == ANN


def test_nothing_of_the_body_is_read_as_a_template() -> None:
    assert json.loads(sent(BODIES[3])[0]["MessageBody"])["items"][0]["name"] == "#set($x=1) $util ${a}"
