"""Who may do what, in both homes: every operation and field that both have × every kind of caller, by the one table.

What API Gateway and AppSync check before any code of ours, and the one field that AppSync gives to nobody who signed in
(``publishOrder``), stands in docs/reference/aws-differences.md.
"""

import json
import re
from typing import Any, NamedTuple

import pytest

from expediter import contracts
from expediter.api.access import NEEDS, Need, TokenClaims
from expediter.api.graphql import RESOLVERS
from expediter.api.rest import OPERATIONS
from expediter.api.routes import operations
from expediter.app.access import ALL, CUSTOMER, ROLES, Role, Scope, scopes_in
from tests.journeys.parity.houses import (
    ANN,
    OPERATOR,
    Answer,
    Client,
    House,
    Refusal,
    died,
    message,
    new_id,
    own,
    until,
)

BOB, CAROL = "b0000000-0000-4000-8000-000000000002", "c0000000-0000-4000-8000-000000000003"
ORDER = {"restaurant_id": "Restaurant 4", "name": "Burger", "quantity": 3}
INPUT = {"name": "Burger", "quantity": 3, "restaurantId": "Restaurant 4"}
OF_REST = {name: where for where, name in operations(contracts.read("openapi.json")).items() if name in OPERATIONS}
#: A row for each operation that takes a body, and for each field: another order's id each time.
BODIES: dict[str, Any] = {
    "postOrder": ORDER,
    "putOrder": {"restaurant_id": "Elsewhere"},
    "refundOrder": {"amount": 1, "reason": "Cold"},
}
ARGUMENTS: dict[str, Any] = {
    "Query.order": {"id": "ID"},
    "Query.orders": {},
    "Mutation.postOrder": {"input": INPUT},
    "Mutation.updateOrder": {"input": {"id": "ID", "restaurantId": "Elsewhere"}},
    "Mutation.deleteOrder": {"id": "ID"},
    "Mutation.cancelOrder": {"id": "ID"},
    "Mutation.continuePayment": {"id": "ID"},
    "Mutation.publishOrder": {"id": "ID"},
    "Subscription.orderUpdated": {"id": "ID"},
}
STRANGER, LET_IN = "Unauthorized", "let in"


class Kind(NamedTuple):
    """A kind of caller; ``scopes`` None: a stranger."""

    name: str
    claims: TokenClaims | None
    scopes: frozenset[Scope] | None


def person(name: str, scopes: frozenset[Scope], *groups: str) -> Kind:
    return Kind(name, TokenClaims(ANN, groups=groups), scopes)


def program(name: str, scopes: list[Scope]) -> Kind:
    """Its name is its own: a home may know it by a key or by the issuer's token."""
    given = " ".join(f"expediter/{scope}" for scope in scopes)
    return Kind(name, TokenClaims(name, name, given), scopes_in(scopes))


PEOPLE = [
    Kind("nobody", None, None),
    person("a customer", CUSTOMER),
    person("a customer in other groups", CUSTOMER, "cooks", "Operators"),
    *(person(f"a {role}", ROLES[role], f"operators-{role}") for role in Role),
    person("an operator", ALL, "operators"),
]
PROGRAMS = [program(f"only {scope}", [scope]) for scope in Scope]


def callers(need: Need) -> list[Kind]:
    """Every kind of caller for what an operation needs: with each scope, and with all but the one that is needed."""
    missing = program(f"all but {need}", [scope for scope in Scope if scope != need])
    return [*PEOPLE, *PROGRAMS, *([missing] if isinstance(need, Scope) else [])]


def expected(kind: Kind, need: Need) -> str:
    if kind.scopes is None:
        return STRANGER
    return LET_IN if need == "token" or need in kind.scopes else f"ScopeMissing {need}"


def test_every_operation_and_field_that_both_homes_have_has_a_row() -> None:
    document = json.loads(contracts.read("openapi.json"))
    asked = {it["operationId"]: it for methods in document["paths"].values() for it in methods.values()}
    assert {*OPERATIONS, *RESOLVERS} <= NEEDS.keys()
    assert OF_REST.keys() == OPERATIONS.keys()
    assert BODIES.keys() == {name for name in OPERATIONS if "requestBody" in asked[name]}
    assert ARGUMENTS.keys() == RESOLVERS.keys()


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_every_operation_of_rest_lets_in_whom_the_table_names(house: House, name: str) -> None:
    method, path = OF_REST[name]
    for kind in callers(NEEDS[name]):
        for client in house.clients(kind.claims):
            body = BODIES.get(name)
            if name == "postOrder":
                body = {**ORDER, "user_id": kind.claims.sub if kind.claims else ANN}
            key = new_id() if name == "refundOrder" else None  # it needs one
            answer = client.rest(method, re.sub(r"\{\w+\}", new_id(), path), body, key)
            assert told(answer) == expected(kind, NEEDS[name]), kind.name


def told(answer: Answer) -> str:
    """What the answer says of the caller. A dead letter has no status and no header."""
    if answer.status == 401:
        assert answer.challenge.startswith("Bearer")
        return STRANGER
    if answer.error == "ScopeMissing":
        (scope,) = re.findall(r"(?:the scope |needs expediter/)([a-z:]+)[,.]", answer.body["detail"])
        assert answer.status == 0 or answer.challenge in {
            f'Bearer error="insufficient_scope", scope="{scope}"',
            "Bearer",
        }
        return f"ScopeMissing {scope}"
    assert answer.status in {*range(200, 300), 404}, answer
    return LET_IN


@pytest.mark.parametrize("name", sorted(RESOLVERS))
def test_every_field_of_graphql_lets_in_whom_the_table_names(house: House, name: str) -> None:
    for kind in callers(NEEDS[name]):
        for client in house.clients(kind.claims):
            answer = client.graphql(name, **replaced(ARGUMENTS[name], new_id()))
            assert told_by_graphql(answer) == to_see(kind, name), kind.name


def to_see(kind: Kind, field: str) -> str:
    """What is expected; the mutations here ask for more of the order than its id, so they need two scopes."""
    first = expected(kind, NEEDS[field])
    sees = field.startswith("Mutation.") and field != "Mutation.deleteOrder"
    return expected(kind, Scope.ORDERS_READ) if sees and first == LET_IN else first


def replaced(value: Any, order_id: str) -> Any:
    if isinstance(value, dict):
        return {name: replaced(held, order_id) for name, held in value.items()}
    return order_id if value == "ID" else value


def told_by_graphql(answer: Any) -> str:
    if not isinstance(answer, Refusal) or answer == "OrderNotFound":
        return LET_IN
    if answer == "ScopeMissing":
        (scope,) = re.findall(r"the scope ([a-z:]+),", answer.detail)
        return f"ScopeMissing {scope}"
    assert answer == STRANGER
    return STRANGER


# ── whose order ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_customer_sees_and_changes_his_own_order_under_its_id_and_under_his_key(house: House) -> None:
    with house.patient() as there:
        ann, key = there.customer(ANN), new_id()
        order_id = own(key, TokenClaims(ANN))
        assert ann.rest("POST", "/orders", {**ORDER, "user_id": ANN}, key).status == 204
        until(there, order_id, "PENDING", "PAID")
        for name in (order_id, key):
            assert ann.rest("GET", f"/orders/{name}").body["id"] == order_id
            assert ann.rest("PUT", f"/orders/{name}", {"restaurant_id": "Elsewhere"}).status == 204
            assert ann.rest("GET", f"/orders/{name}/timeline").body["order_id"] == order_id
        assert ann.graphql("Mutation.updateOrder", input={"id": order_id, "restaurantId": "There"})["id"] == order_id
        assert ann.graphql("Query.order", id=key)["id"] == order_id
        assert order_id in [order["id"] for order in ann.rest("GET", "/orders").body["items"]]
        assert order_id in [order["id"] for order in ann.graphql("Query.orders")]
        assert not isinstance(ann.graphql("Subscription.orderUpdated", id=order_id), Refusal)
        assert ann.rest("POST", f"/orders/{key}/cancel").status == 200
        assert ann.graphql("Mutation.cancelOrder", id=order_id)["id"] == order_id
        assert ann.rest("DELETE", f"/orders/{key}").status == 204


def test_another_customer_of_an_order_is_told_by_every_operation_that_there_is_none(house: House) -> None:
    key = new_id()
    house.post({**ORDER, "user_id": ANN}, key)
    order_id = own(key)
    before = until(house, order_id, "SUCCESS")
    bob = house.customer(BOB)
    of_orders = [name for name, (_, path) in OF_REST.items() if NEEDS[name] in CUSTOMER and "{id}" in path]
    assert of_orders
    for name in of_orders:
        hers, none = (ask(bob, name, asked) for asked in (order_id, new_id()))
        assert (hers.status, hers.error) == (none.status, none.error) == (404, "OrderNotFound"), name
    for field in (name for name in RESOLVERS if NEEDS[name] in CUSTOMER and "ID" in str(ARGUMENTS[name])):
        hers, none = (bob.graphql(field, **replaced(ARGUMENTS[field], asked)) for asked in (order_id, new_id()))
        assert hers == none, field
        assert hers is None or hers == "OrderNotFound", field
    assert order_id not in str(bob.rest("GET", "/orders").body)
    assert bob.rest("GET", f"/orders?user_id={ANN}").body == {"items": [], "cursor": None}
    assert order_id not in str(bob.graphql("Query.orders"))
    assert house.rest("GET", f"/orders/{order_id}").body == before


def ask(client: Client, name: str, order_id: str) -> Answer:
    method, path = OF_REST[name]
    return client.rest(method, path.replace("{id}", order_id), BODIES.get(name))


def test_the_same_key_of_two_callers_is_two_orders_and_each_repeat_finds_its_own(house: House) -> None:
    key = new_id()
    house.post({**ORDER, "user_id": ANN}, key)
    till = TokenClaims("till", "till", f"expediter/{Scope.ORDERS_WRITE} expediter/{Scope.ORDERS_READ}")
    others = [TokenClaims(BOB), TokenClaims(CAROL), till]
    for quantity, claims in enumerate(others, start=5):
        client, order = house.clients(claims)[0], {**ORDER, "user_id": claims.sub, "quantity": quantity}
        for _ in range(2):
            assert client.rest("POST", "/orders", order, key).status == 204
        wanted = {**INPUT, "quantity": quantity, "userId": claims.sub}
        assert client.graphql("Mutation.postOrder", input=wanted, idempotencyKey=key)["id"] == own(key, claims)
    ids = [own(key), *(own(key, claims) for claims in others)]
    assert [until(house, order_id, "SUCCESS")["quantity"] for order_id in ids] == [3, 5, 6, 7]


# ── what is told, and what is done twice ──────────────────────────────────────────────────────────────────────────


def only(*scopes: Scope) -> TokenClaims:
    return program("-".join(scopes), list(scopes)).claims or OPERATOR


def test_a_change_shows_the_order_only_to_who_may_read_orders(house: House) -> None:
    with house.patient() as there:
        key = new_id()
        there.post({**ORDER, "user_id": ANN}, key)
        order_id = own(key)
        until(there, order_id, "PENDING", "PAID")
        for path in (f"/orders/{order_id}/payment", f"/orders/{order_id}/cancel"):
            for client in there.clients(only(Scope.ORDERS_WRITE)):
                assert client.rest("POST", path)[:2] == (204, None)
            for client in there.clients(only(Scope.ORDERS_WRITE, Scope.ORDERS_READ)):
                assert client.rest("POST", path).body["id"] == order_id


def test_another_order_s_id_as_a_key_is_a_key_like_any_other(house: House) -> None:
    key, till = new_id(), only(Scope.ORDERS_WRITE, Scope.ORDERS_READ)
    house.post({**ORDER, "user_id": ANN}, key)
    taken = own(key)
    until(house, taken, "SUCCESS")
    for quantity, client in enumerate(house.clients(till), start=4):
        wanted = {**INPUT, "quantity": quantity, "userId": ANN}
        placed = client.graphql("Mutation.postOrder", input=wanted, idempotencyKey=taken)
        assert placed["id"] != taken
        house.settle()
        assert until(house, placed["id"], "SUCCESS")["quantity"] == quantity
    for client in house.clients(only(Scope.ORDERS_WRITE)):
        assert client.rest("POST", "/orders", {**ORDER, "user_id": ANN, "quantity": 9}, taken).status == 204
    assert until(house, taken, "SUCCESS")["quantity"] == 3


@pytest.mark.parametrize("api", ["REST", "GraphQL"])
def test_a_delete_that_is_sent_again_under_its_key_after_the_end_hides_nothing(house: House, api: str) -> None:
    def delete(order_id: str, key: str) -> Any:
        if api == "REST":
            return client.rest("DELETE", f"/orders/{order_id}", key=key).status
        return client.graphql("Mutation.deleteOrder", id=order_id, idempotencyKey=key)

    with house.patient() as there:
        client, placed, act = there.clients(OPERATOR)[0], new_id(), f"delete {new_id()}"
        there.post({**ORDER, "user_id": ANN}, placed)
        order_id = own(placed)
        until(there, order_id, "PENDING", "PAID")
        first = delete(order_id, act)
        assert first == (204 if api == "REST" else order_id)
        until(there, order_id, "CANCELLED")
        assert delete(order_id, act) == first
        assert there.rest("GET", f"/orders/{order_id}").status == 200
        other = delete(new_id(), act)
        assert other == (422 if api == "REST" else "IdempotencyKeyReused")
        assert delete(order_id, new_id()) == first
        assert there.rest("GET", f"/orders/{order_id}").status == 404


def test_an_act_on_dead_letters_that_is_sent_again_under_its_key_is_answered_as_the_first(house: House) -> None:
    dead = tuple(message({"user_id": ANN}) for _ in range(4))
    with house.holding(dead=dead) as there:
        client = there.clients(OPERATOR)[0]
        found = [died(there, one.order_id)[0]["id"] for one in dead]
        acts = [("DELETE", f"/dlq/{found[0]}"), ("POST", f"/dlq/{found[1]}/redrive"), ("DELETE", "/dlq")]
        for method, path in acts:
            first, again = (client.rest(method, path, key=f"{method} {path}") for _ in range(2))
            assert first.status in {200, 204}
            assert (again.status, again.body) == (first.status, first.body), path
        assert client.rest("DELETE", f"/dlq/{found[0]}").status == 404
        assert client.rest("DELETE", f"/dlq/{found[0]}", key="DELETE /dlq").error == "IdempotencyKeyReused"
        client.rest("DELETE", "/dlq")


# ── where mail goes ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_customer_s_mail_goes_to_his_verified_address_and_others_name_any(house: House) -> None:
    other, own_address = "other@example.com", "carol@example.com"
    carol = TokenClaims(CAROL, email=own_address)
    till = TokenClaims("till", "till", f"expediter/{Scope.ORDERS_WRITE} expediter/{Scope.ORDERS_READ}")
    operator = TokenClaims(ANN, groups=("operators-support",), email=own_address)
    for claims, goes_to in ((carol, "carol"), (TokenClaims(BOB), None), (till, "other"), (operator, "other")):
        client, key = house.clients(claims)[0], new_id()
        assert client.rest("POST", "/orders", {**ORDER, "user_id": claims.sub, "email": other}, key).status == 204
        placed = client.graphql("Mutation.postOrder", input={**INPUT, "userId": claims.sub, "email": other})
        house.settle()
        for order_id in (own(key, claims), placed["id"]):
            until(house, order_id, "SUCCESS")
            assert house.mails(order_id) == sorted(("SUCCESS", it) for it in (goes_to, "operators") if it), claims
