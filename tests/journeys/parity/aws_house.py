"""The AWS home: the synthesised stack, run here."""

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from expediter import contracts
from expediter.api.access import TokenClaims
from expediter.api.graphql import RESOLVERS
from expediter.api.routes import Router, operations
from infra.api.openapi import DETAILS, GATEWAY_ERRORS, scopes
from infra.compute.workflow import check
from tests.aws.local.gateway import PERSON
from tests.aws.local.town import Town
from tests.journeys.parity.houses import (
    HOLD,
    LONG_HOLD,
    OPERATOR,
    Answer,
    Message,
    Refusal,
    died,
    letters,
    new_id,
    own,
    until,
)
from tests.support import patience

ROUTER = Router(operations(contracts.read("openapi.json")))


#: What a mutation asks for, as AppSync says it.
SELECTED: dict[str, list[str]] = {
    field: ["id", "orderStatus"]
    for field in RESOLVERS
    if field.startswith("Mutation.") and field != "Mutation.deleteOrder"
} | {"Mutation.deleteOrder": []}


class Person:
    """Somebody at both APIs, by the claims that Cognito's authorizers pass on; None: nobody signed in."""

    def __init__(self, town: Town, claims: TokenClaims | None) -> None:
        self._town = town
        self._claims = claims

    def rest(self, method: str, path: str, body: Any = None, key: str | None = None) -> Answer:
        """An order that goes to the queue is followed to its execution, or to its dead letter, whose reason is told."""
        path, _, query = path.partition("?")
        if refused := refusal(self._claims, method, path):
            return refused
        if (method, path) == ("POST", "/orders"):
            return self._placed(body, key or new_id())
        given: Any = {name: [value] for name, value in (pair.split("=") for pair in query.split("&") if pair)}
        event = {
            "httpMethod": method,
            "path": path,
            "multiValueQueryStringParameters": given or None,
            "multiValueHeaders": {"Content-Type": ["application/json"], **({"Idempotency-Key": [key]} if key else {})},
            "body": None if body is None else json.dumps(body),
            "requestContext": {"authorizer": {"claims": said(self._claims)} if self._claims else None},
        }
        answer = self._town.invoke("Rest", event)
        challenge = answer["headers"].get("WWW-Authenticate", "")
        return Answer(answer["statusCode"], json.loads(answer["body"]) if answer["body"] else None, challenge)

    def _placed(self, order: Any, key: str) -> Answer:
        claims = self._claims
        assert claims
        self._town.post(json.dumps(order), {"Idempotency-Key": key}, **said(claims))
        house = AwsHouse(self._town)

        def taken_in() -> Answer | None:
            house.settle()
            if found := letters(house, key):
                assert house.rest("DELETE", f"/dlq/{found[0]['id']}").status == 204
                name, _, detail = found[0]["reason"].partition(": ")
                return Answer(0, {"error": name, "detail": detail})
            return Answer(204, None) if house.rest("GET", f"/orders/{own(key, claims)}").status == 200 else None

        answer = patience.until(taken_in, "the order is taken in or refused")
        assert answer
        return answer

    def graphql(self, field: str, **arguments: Any) -> Any:
        parent, _, name = field.partition(".")
        info = {"parentTypeName": parent, "fieldName": name, "selectionSetList": SELECTED.get(field, ["id"])}
        answer = self._town.invoke("Graphql", {"info": info, "arguments": arguments, "identity": self._identity()})
        return Refusal(answer["error"]["type"], answer["error"]["message"]) if "error" in answer else answer["value"]

    def _identity(self) -> Any:
        if self._claims is None:
            return None
        groups = list(self._claims.groups) or None
        return {"sub": self._claims.sub, "groups": groups, "claims": said(self._claims) | {"cognito:groups": groups}}


def said(claims: TokenClaims) -> dict[str, str]:
    """The claims of an access token as API Gateway passes them on; who signed in has PERSON's."""
    asked = {"client_id": claims.client_id, "scope": claims.scope} if claims.client_id else PERSON
    groups = {"cognito:groups": ",".join(claims.groups)} if claims.groups else {}
    email = {"email": claims.email, "email_verified": "true"} if claims.email else {}
    return {"sub": claims.sub, **asked, **groups, **email}


def refusal(claims: TokenClaims | None, method: str, path: str) -> Answer | None:
    """What API Gateway answers by itself: its authorizer takes an access token that has one of the method's scopes.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-enable-cognito-user-pool.html
    """
    name, _ = ROUTER.find(method, path)
    kind = "UNAUTHORIZED"
    if claims:
        kind = "" if {*said(claims)["scope"].split()} & {*scopes(name)} else "ACCESS_DENIED"
    if not kind:
        return None
    error, status = GATEWAY_ERRORS[kind]
    return Answer(status, {"error": error, "detail": DETAILS.get(kind, "Unauthorized")}, "Bearer")


class AwsHouse:
    def __init__(self, town: Town) -> None:
        self._town = town
        self._operator = Person(town, OPERATOR)

    def post(self, order: Any, *keys: str) -> None:
        with ThreadPoolExecutor(len(keys)) as pool:
            list(pool.map(lambda key: self._post(order, key), keys))
        self.settle()

    def refused(self, key: str, *orders: Any) -> list[str]:
        """The API puts them on the queue before anybody looks at them."""
        for order in orders:
            self._post(order, key)
        found = died(self, key, len(orders))
        for letter in found:
            assert self.rest("DELETE", f"/dlq/{letter['id']}").status == 204
        return [str(letter["reason"].partition(":")[0]) for letter in found]

    def rest(self, method: str, path: str, body: Any = None) -> Answer:
        return self._operator.rest(method, path, body)

    def graphql(self, field: str, **arguments: Any) -> Any:
        found = self._operator.graphql(field, **arguments)
        self.settle()
        return found

    def clients(self, claims: TokenClaims | None) -> Sequence[Person]:
        return [Person(self._town, claims)]

    def customer(self, user_id: str) -> Person:
        return Person(self._town, TokenClaims(user_id))

    def settle(self) -> None:
        patience.until(lambda: not self._town.poll(), "the queue is empty")

    def ledger(self, order_id: str) -> list[tuple[str, int]]:
        return self._town.ledger(order_id)

    def mails(self, order_id: str) -> list[tuple[str, str]]:
        rows = self._town.rows("StoreMail", order_id)
        return sorted((row["status"]["S"], row["recipient"]["S"].removesuffix("@example.com")) for row in rows)

    @contextmanager
    def patient(self) -> Iterator["AwsHouse"]:
        """What holds for an order is what the intake knew when it took it in."""
        self._town.tell("Intake", hold_seconds=LONG_HOLD)
        yield self
        self._town.tell("Intake", hold_seconds=HOLD)

    @contextmanager
    def holding(self, *queued: Message, dead: tuple[Message, ...] = ()) -> Iterator["AwsHouse"]:
        for queue, messages in ((self._town.queue, queued), (self._town.dead, dead)):
            for one in messages:
                self._town.send(queue, one.body, order_id=one.order_id)
        self.settle()
        yield self

    @contextmanager
    def saved(self, order: Any, key: str) -> Iterator[tuple["AwsHouse", Callable[[], None]]]:
        """An order can be read when the first task has written it; the second one's function is slow to start."""
        with ExitStack() as held:
            held.enter_context(self._town.held("ProcessPayment"))
            self.post(order, key)
            until(self, own(key), "PENDING")
            yield self, held.close

    def refuses(self, definition: Any) -> str:
        """There is no stack with it."""
        with pytest.raises(LookupError) as refused:
            check(json.dumps(definition))
        return str(refused.value)

    def _post(self, order: Any, key: str) -> None:
        self._town.post(json.dumps(order), {"Idempotency-Key": key}, **said(OPERATOR))
