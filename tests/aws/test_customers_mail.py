"""Where the mail of an order goes: from the user's sign-in with Cognito to the order, at both APIs."""

import json
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

import pytest

from expediter.app.idempotency import own_id
from expediter.aws.callers import from_authorizer
from infra.api.openapi import template
from tests.aws.local.gateway import PERSON, Call
from tests.aws.stage import ANN, BURGERS, Functions
from tests.aws.test_mapping import attributes
from tests.support.clock import NOON

OWN, OTHER = "ann@example.com", "somebody@example.org"
VERIFIED = {"sub": ANN, "email": OWN, "email_verified": "true"}
#: The attributes of users whose address nobody has verified, and of one who has none.
UNVERIFIED = [{**VERIFIED, "email_verified": "false"}, {"sub": ANN, "email": OWN}, {"sub": ANN}]
JSON = {"Content-Type": "application/json"}
PROGRAM = {"sub": "shop", "client_id": "shop", "scope": "expediter/orders:write"}


def signed_in(functions: Functions, user: dict[str, str], **claims: str) -> dict[str, str]:
    """The claims of the user's access token as API Gateway passes them on."""
    event = {"request": {"userAttributes": user}, "response": {"claimsAndScopeOverrideDetails": None}}
    told = functions.call("Tokens", event)["response"]["claimsAndScopeOverrideDetails"]
    added = told["accessTokenGeneration"]["claimsToAddOrOverride"] if told else {}
    return {"sub": user["sub"], **PERSON, **claims, **added}


def ordered(functions: Functions, claims: dict[str, str], email: str | None) -> str | None:
    """Where the mail of an order goes that came by REST: through the mapping template, the queue and the intake."""
    key = str(uuid4())
    form = sent(claims, key, email)
    record = functions.message(form["MessageBody"].encode(), **attributes(form))
    assert functions.call("Intake", {"Records": [record]}) == {"batchItemFailures": []}
    taken: str | None = started(functions, own_id(from_authorizer({"claims": claims}), key))["email"]
    return taken


def sent(claims: dict[str, str], key: str, email: str | None) -> dict[str, str]:
    """The form that SQS gets from API Gateway for an order."""
    user_id = ANN if claims["sub"] == ANN else "somebody"
    body = json.dumps({**BURGERS, "name": "item", "user_id": user_id, "email": email})
    text = Call(body, {"Idempotency-Key": key}, claims, key).render(template("post_order.request.vtl"))
    return {name: value for name, (value,) in parse_qs(text, strict_parsing=True).items()}


def started(functions: Functions, order_id: str) -> Any:
    """The order in the input of its execution."""
    execution = f"{functions.adapters.machine.replace(':stateMachine:', ':execution:')}:{order_id}"
    found = functions.adapters.stepfunctions.describe_execution(executionArn=execution)
    return json.loads(found["input"])["order"]


@pytest.mark.parametrize("email", [OWN, OTHER])
def test_a_customer_s_mail_goes_to_the_address_that_cognito_verified(functions: Functions, email: str) -> None:
    assert ordered(functions, signed_in(functions, VERIFIED), email) == OWN


def test_a_customer_who_asks_for_no_mail_gets_none(functions: Functions) -> None:
    assert ordered(functions, signed_in(functions, VERIFIED), None) is None


@pytest.mark.parametrize("user", UNVERIFIED)
@pytest.mark.parametrize("email", [OWN, OTHER])
def test_nobody_without_a_verified_address_has_mail_sent(
    functions: Functions, user: dict[str, str], email: str
) -> None:
    assert ordered(functions, signed_in(functions, user), email) is None


@pytest.mark.parametrize("groups", ["operators", "[operators-support cooks]"])
def test_operators_name_any_address(functions: Functions, groups: str) -> None:
    claims = signed_in(functions, VERIFIED, **{"cognito:groups": groups})
    assert (ordered(functions, claims, OTHER), ordered(functions, claims, None)) == (OTHER, None)


def test_programs_name_any_address(functions: Functions) -> None:
    assert ordered(functions, PROGRAM, OTHER) == OTHER


def test_the_same_order_by_either_api_is_one_order(functions: Functions) -> None:
    key, claims = str(uuid4()), signed_in(functions, VERIFIED)
    given = {"name": "item", "restaurantId": "Restaurant 4", "quantity": 3, "email": OTHER}
    placed = asked(functions, claims, "postOrder", input=given, idempotencyKey=key)
    assert functions.adapters.work().queue.receive(1, NOON)[0].body.count(OWN.encode()) == 1
    form = sent(claims, key, OTHER)
    record = functions.message(form["MessageBody"].encode(), **attributes(form))
    assert functions.call("Intake", {"Records": [record]}) == {"batchItemFailures": []}
    assert started(functions, placed["id"])["email"] == OWN


@pytest.mark.parametrize(("user", "goes_to"), [(VERIFIED, OWN), *((user, None) for user in UNVERIFIED)])
def test_a_change_of_the_address_goes_by_the_same_rule(
    functions: Functions, user: dict[str, str], goes_to: str | None
) -> None:
    claims, order_id = signed_in(functions, user), str(uuid4())
    functions.call("InitializeOrder", functions.order(order_id))
    body = json.dumps({"email": OTHER})
    context = {"authorizer": {"claims": claims}}
    changed = functions.rest("PUT", f"/orders/{order_id}", headers=JSON, body=body, requestContext=context)
    assert changed["statusCode"] == 204
    assert mailed(functions, order_id) == goes_to
    asked(functions, claims, "updateOrder", input={"id": order_id, "email": "third@example.net"})
    assert mailed(functions, order_id) == goes_to


def test_an_operator_changes_the_address_to_any(functions: Functions) -> None:
    order_id = str(uuid4())
    functions.call("InitializeOrder", functions.order(order_id))
    body = json.dumps({"email": OTHER})
    assert (
        functions.rest("PUT", f"/orders/{order_id}", groups="operators", headers=JSON, body=body)["statusCode"] == 204
    )
    assert mailed(functions, order_id) == OTHER


def test_an_id_token_at_appsync_tells_an_address_that_nobody_verified(functions: Functions) -> None:
    """AppSync takes ID tokens too, and those have every address."""
    claims = {"sub": ANN, "token_use": "id", "email": OTHER, "email_verified": False}
    order_id = str(uuid4())
    functions.call("InitializeOrder", functions.order(order_id))
    asked(functions, claims, "updateOrder", input={"id": order_id, "email": OTHER})
    assert mailed(functions, order_id) is None
    asked(
        functions,
        {**claims, "email": OWN, "email_verified": True},
        "updateOrder",
        input={"id": order_id, "email": OTHER},
    )
    assert mailed(functions, order_id) == OWN


def asked(functions: Functions, claims: dict[str, Any], field: str, **arguments: Any) -> Any:
    info = {"parentTypeName": "Mutation", "fieldName": field}
    event = {"info": info, "arguments": arguments, "identity": {"sub": claims["sub"], "claims": claims}}
    return functions.call("Graphql", event)["value"]


def mailed(functions: Functions, order_id: str) -> str | None:
    with functions.adapters.unit() as work:
        found = work.orders.find(order_id)
    assert found
    return found.email
