"""The AWS home: the synthesised stack, run here."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from infra.compute.workflow import check
from tests.aws.local.town import ANN, Town
from tests.journeys.parity.houses import HOLD, LONG_HOLD, Answer, Message, died, until
from tests.support import patience


class Person:
    """One user of the pool at both APIs."""

    def __init__(self, town: Town, user_id: str, groups: tuple[str, ...] = ()) -> None:
        self._town = town
        self._user = user_id
        self._groups = groups

    def rest(self, method: str, path: str, body: Any = None) -> Answer:
        path, _, query = path.partition("?")
        given: Any = {name: [value] for name, value in (pair.split("=") for pair in query.split("&") if pair)}
        claims = {"sub": self._user, **({"cognito:groups": ",".join(self._groups)} if self._groups else {})}
        event = {
            "httpMethod": method,
            "path": path,
            "multiValueQueryStringParameters": given or None,
            "headers": {"Content-Type": "application/json"},
            "body": None if body is None else json.dumps(body),
            "requestContext": {"authorizer": {"claims": claims}},
        }
        answer = self._town.invoke("Rest", event)
        return Answer(answer["statusCode"], json.loads(answer["body"]) if answer["body"] else None)

    def graphql(self, field: str, **arguments: Any) -> Any:
        parent, _, name = field.partition(".")
        info = {"parentTypeName": parent, "fieldName": name}
        identity = {"sub": self._user, "groups": list(self._groups)}
        answer = self._town.invoke("Graphql", {"info": info, "arguments": arguments, "identity": identity})
        return answer["error"]["type"] if "error" in answer else answer["value"]


class AwsHouse:
    def __init__(self, town: Town) -> None:
        self._town = town
        self._operator = Person(town, ANN, ("operators",))

    def post(self, order: Any, *keys: str) -> None:
        with ThreadPoolExecutor(len(keys)) as pool:
            list(pool.map(lambda key: self._post(order, key), keys))
        self.settle()

    def refused(self, key: str, *orders: Any) -> list[str]:
        """The API puts them on the queue before anybody looks at them."""
        for order in orders:
            self._post(order, key)
        letters = died(self, key, len(orders))
        for letter in letters:
            assert self.rest("DELETE", f"/dlq/{letter['id']}").status == 204
        return [str(letter["reason"].partition(":")[0]) for letter in letters]

    def rest(self, method: str, path: str, body: Any = None) -> Answer:
        return self._operator.rest(method, path, body)

    def graphql(self, field: str, **arguments: Any) -> Any:
        found = self._operator.graphql(field, **arguments)
        self.settle()
        return found

    def customer(self, user_id: str) -> Person:
        return Person(self._town, user_id)

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
            until(self, key, "PENDING")
            yield self, held.close

    def refuses(self, definition: Any) -> str:
        """There is no stack with it."""
        with pytest.raises(LookupError) as refused:
            check(json.dumps(definition))
        return str(refused.value)

    def _post(self, order: Any, key: str) -> None:
        self._town.post(json.dumps(order), {"Idempotency-Key": key}, **{"cognito:groups": "operators"})
