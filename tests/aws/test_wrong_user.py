"""Every operation and field that AWS has × every kind of caller: what is answered comes from the table of scopes.

What stands in front runs on AWS only: Cognito's authorizers, which refuse tokens that are wrong. Here strangers are
what such an authorizer passes on when nobody signed in: nothing. That every method and field has its authorizer is
read from the template (tests/infra/facts_users.py), and which scopes API Gateway takes from its document.
"""

import json
import re
from itertools import product
from typing import Any, NamedTuple
from uuid import uuid4

from expediter import contracts
from expediter.api.access import NEEDS, Need
from expediter.api.graphql import RESOLVERS
from expediter.api.rest import OPERATIONS
from expediter.api.routes import operations
from expediter.app.access import ALL, CUSTOMER, ROLES, Role, Scope, scopes_in
from expediter.aws.functions.table import OTHER_FUNCTIONS
from infra.api.openapi import AUTHORIZER, EVENTS, Wiring, document
from tests.aws.local.gateway import PERSON
from tests.aws.stage import ANN, OLGA, Functions
from tests.aws.test_mapping import attributes, sent

WHERE = {name: where for where, name in operations(contracts.read("openapi.json")).items() if name in OPERATIONS}
DOCUMENT = document(Wiring("pool", "rest", "queue", "events", "role", "region", "aws", ""))
JSON = "application/json"
ORDER_OF_ANN = json.dumps({"user_id": ANN, "restaurant_id": "r", "quantity": 1})
BODIES = {"putOrder": '{"restaurant_id": "r"}'}
ORDER = {"name": "a", "quantity": 1, "restaurantId": "r"}
#: The arguments of each field; another order's id each time.
ARGUMENTS: dict[str, Any] = {
    "Query.order": {"id": "ID"},
    "Query.orders": {},
    "Mutation.postOrder": {"input": ORDER},
    "Mutation.updateOrder": {"input": {"id": "ID", "quantity": 2}},
    "Mutation.deleteOrder": {"id": "ID"},
    "Mutation.cancelOrder": {"id": "ID"},
    "Mutation.continuePayment": {"id": "ID"},
    "Mutation.publishOrder": {"id": "ID"},
    "Subscription.orderUpdated": {"id": "ID"},
}
STRANGER, LET_IN = "Unauthorized", "let in"


class Kind(NamedTuple):
    """A caller by the claims that an authorizer passes on; ``scopes`` None: a stranger."""

    name: str
    claims: dict[str, Any]
    scopes: frozenset[Scope] | None


def person(name: str, scopes: frozenset[Scope], *groups: str, **claims: str) -> Kind:
    return Kind(name, {"sub": ANN, **PERSON, **claims, **({"cognito:groups": list(groups)} if groups else {})}, scopes)


def program(name: str, scopes: list[Scope]) -> Kind:
    given = " ".join(f"expediter/{scope}" for scope in scopes)
    return Kind(name, {"sub": "shop", "client_id": "shop", "scope": given, "token_use": "access"}, scopes_in(scopes))


KINDS = [
    Kind("nobody", {}, None),
    Kind("somebody without a sub", {"client_id": "shop", "cognito:groups": ["operators"]}, None),
    person("a customer", CUSTOMER),
    person("a customer in other groups", CUSTOMER, "cooks", "Operators", "operators-"),
    person("a customer in a group with a space", CUSTOMER, "not operators"),
    person("a customer who asks for scopes", CUSTOMER, scope="openid expediter/dlq expediter/erase"),
    *(person(f"a {role}", ROLES[role], "cooks", f"operators-{role}") for role in Role),
    person("an operator", ALL, "operators"),
    Kind("a program of another service", {"sub": "till", "client_id": "till", "scope": "dlq other/dlq"}, frozenset()),
    *(program(f"a program with only {scope}", [scope]) for scope in Scope),
    *(program(f"a program with all but {scope}", [one for one in Scope if one is not scope]) for scope in Scope),
]


def expected(kind: Kind, need: Need) -> str:
    if kind.scopes is None:
        return STRANGER
    return LET_IN if need == "token" or need in kind.scopes else f"ScopeMissing {need}"


def test_every_operation_and_field_has_a_row() -> None:
    published = {it["operationId"] for methods in DOCUMENT["paths"].values() for it in methods.values()}
    assert published - set(EVENTS) == set(WHERE) == set(OPERATIONS) <= set(NEEDS)
    assert set(ARGUMENTS) == set(RESOLVERS) <= set(NEEDS)
    # Nothing else takes calls from outside: the others are behind Cognito, queues, streams, a schedule and the state
    # machine.
    assert set(OTHER_FUNCTIONS) - {"Tokens", "Intake", "Events", "Mailer", "Publisher", "Sweeper", "Figures"} == {
        "Rest",
        "Graphql",
    }


def test_every_operation_of_rest_lets_in_whom_the_table_names(functions: Functions) -> None:
    for name, kind in product(sorted(WHERE.keys() - {"postOrder"}), KINDS):
        method, path = WHERE[name]
        event = {
            "httpMethod": method,
            "path": re.sub(r"\{\w+\}", str(uuid4()), path),
            "multiValueHeaders": {"Content-Type": [JSON]},
            "body": BODIES.get(name),
            "requestContext": {"authorizer": {"claims": as_text(kind.claims)} if kind.claims else None},
        }
        answer = functions.call("Rest", event)
        assert told(answer) == expected(kind, NEEDS[name]), (name, kind.name)
        # API Gateway stands before it, and keeps nobody out whom a scope of ours lets in.
        assert passes(name, kind) or not kind.scopes, (name, kind.name)


def as_text(claims: dict[str, Any]) -> dict[str, str]:
    """API Gateway passes claims on as text, and groups with commas between them."""
    return {name: ",".join(value) if isinstance(value, list) else value for name, value in claims.items()}


def told(answer: Any) -> str:
    challenge = answer["headers"].get("WWW-Authenticate", "")
    if answer["statusCode"] == 401:
        assert challenge.startswith("Bearer")
        return STRANGER
    if answer["statusCode"] == 403:
        (scope,) = re.findall(r'insufficient_scope", scope="([\w:]+)"', challenge)
        assert f"the scope {scope}," in answer["body"]
        return f"ScopeMissing {scope}"
    assert answer["statusCode"] < 500, answer
    return LET_IN


def passes(operation: str, kind: Kind) -> bool:
    """Whether API Gateway takes the caller's access token: it has one of the method's scopes.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-enable-cognito-user-pool.html
    """
    method, path = WHERE[operation]
    ((name, taken),) = DOCUMENT["paths"][path][method.lower()]["security"][0].items()
    assert (name, bool(taken)) == (AUTHORIZER, True)
    return bool(kind.claims.get("sub")) and bool({*kind.claims.get("scope", "").split()} & {*taken})


def test_an_order_over_rest_is_placed_by_whom_the_table_names(functions: Functions) -> None:
    """API Gateway's authorizer first, then what the intake makes of what API Gateway wrote down."""
    for kind in KINDS:
        let_in = expected(kind, NEEDS["postOrder"]) == LET_IN
        if not passes("postOrder", kind):
            assert not let_in, kind.name
            continue
        form, _ = sent(ORDER_OF_ANN, None, **as_text(kind.claims))
        record = functions.message(form["MessageBody"].encode(), **{**attributes(form), "order_id": str(uuid4())})
        record["attributes"]["ApproximateReceiveCount"] = "3"
        failed = functions.call("Intake", {"Records": [record]})["batchItemFailures"]
        letters = functions.adapters.work().dead_letters.page(10)
        reasons = [letter.reason.partition(":")[0] for letter in letters]
        assert (len(failed), reasons) == ((0, []) if let_in else (1, ["ScopeMissing"])), kind.name
        for letter in letters:
            functions.adapters.work().dead_letters.delete(letter.id)


def test_every_field_of_graphql_lets_in_whom_the_table_names(functions: Functions) -> None:
    system = Kind("the system itself", {}, frozenset({Scope.WORKFLOW, Scope.ORDERS_READ}))
    for field, kind in product(sorted(RESOLVERS), (*KINDS, system)):
        arguments = {name: replaced(value, str(uuid4())) for name, value in ARGUMENTS[field].items()}
        parent, _, name = field.partition(".")
        info = {"parentTypeName": parent, "fieldName": name}
        identity = {"userArn": "arn:aws:sts::1:assumed-role/publisher/1"} if kind is system else identity_of(kind)
        answer = functions.call("Graphql", {"info": info, "arguments": arguments, "identity": identity})
        assert told_by_graphql(answer) == expected(kind, NEEDS[field]), (field, kind.name)


def replaced(value: Any, order_id: str) -> Any:
    if isinstance(value, dict):
        return {name: replaced(held, order_id) for name, held in value.items()}
    return order_id if value == "ID" else value


def identity_of(kind: Kind) -> Any:
    if not kind.claims:
        return None
    return {"sub": kind.claims.get("sub"), "groups": kind.claims.get("cognito:groups"), "claims": kind.claims}


def told_by_graphql(answer: Any) -> str:
    error = answer.get("error")
    if error is None or error["type"] == "OrderNotFound":
        return LET_IN
    if error["type"] == "ScopeMissing":
        (scope,) = re.findall(r"the scope ([\w:]+),", error["message"])
        return f"ScopeMissing {scope}"
    assert error["type"] == STRANGER, error
    return STRANGER


def test_every_operation_and_field_answers_for_anothers_order_as_for_a_missing_one(functions: Functions) -> None:
    hers = str(uuid4())
    functions.call("InitializeOrder", functions.order(hers, user_id=OLGA))
    none = str(uuid4())
    for name, (method, path) in WHERE.items():
        if NEEDS[name] in CUSTOMER and "{id}" in path:
            headers: dict[str, Any] = {"headers": {"Content-Type": JSON}, "body": BODIES.get(name)}
            answers = [functions.rest(method, path.replace("{id}", one), **headers) for one in (hers, none)]
            assert answers[0]["statusCode"] == 404
            assert without(answers[0], hers) == without(answers[1], none), name
    for field, arguments in ARGUMENTS.items():
        if NEEDS[field] in CUSTOMER and "ID" in str(arguments):
            answers = [functions.graphql(field, **replaced(arguments, one)) for one in (hers, none)]
            assert without(answers[0], hers) == without(answers[1], none), field
    cursors = [functions.graphql("Query.orders", after=one) for one in (hers, none)]
    assert cursors[0] == cursors[1]


def without(answer: Any, order_id: str) -> str:
    return str(answer).replace(order_id, "ID")
