"""The two homes from outside, as a journey needs them: what a customer sends, and what can be seen afterwards."""

import json
import uuid
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import httpx

from expediter.app.ports import Settings
from expediter.embedded.books import open_books
from tests.aws.local.town import ANN, Town
from tests.support import patience

#: Seconds, for both homes: real time passes here.
HOLD = "2"
MUTATIONS = {
    "postOrder": "mutation($input: OrderInput!, $idempotencyKey: ID) "
    "{ postOrder(input: $input, idempotencyKey: $idempotencyKey) { id userId orderStatus total } }",
    "cancelOrder": "mutation($id: ID!) { cancelOrder(id: $id) { id orderStatus } }",
    "updateOrder": "mutation($input: UpdateOrderInput!) { updateOrder(input: $input) { id restaurantId } }",
    "deleteOrder": "mutation($id: ID!) { deleteOrder(id: $id) }",
}


class Answer(NamedTuple):
    status: int
    body: Any

    @property
    def error(self) -> str | None:
        return self.body.get("error") if isinstance(self.body, dict) else None


class House(Protocol):
    def post(self, order: Any, key: str) -> None:
        """Places an order by REST and lets it be taken in."""

    def rest(self, method: str, path: str, body: Any = None) -> Answer: ...

    def graphql(self, mutation: str, **arguments: Any) -> Any:
        """The field's value, or its error's name."""

    def settle(self) -> None:
        """Lets what was sent be taken in."""

    def ledger(self, order_id: str) -> list[tuple[str, int]]: ...

    def mails(self, order_id: str) -> list[tuple[str, str]]:
        """(status, recipient) of each mail; the operators' address is ``operators``."""


class EmbeddedHouse:
    def __init__(self, url: str, data: Path) -> None:
        self._client = httpx.Client(base_url=url, timeout=30)
        self._data = data

    def post(self, order: Any, key: str) -> None:
        answer = self._client.post("/orders", json=order, headers={"Idempotency-Key": key})
        assert answer.status_code == 204, answer.text

    def rest(self, method: str, path: str, body: Any = None) -> Answer:
        answer = self._client.request(method, path, json=body)
        return Answer(answer.status_code, answer.json() if answer.content else None)

    def graphql(self, mutation: str, **arguments: Any) -> Any:
        body = {"query": MUTATIONS[mutation], "variables": arguments}
        answer = self._client.post("/graphql", json=body).json()
        if answer.get("errors"):
            return answer["errors"][0]["extensions"]["code"]
        return answer["data"][mutation]

    def close(self) -> None:
        self._client.close()

    def settle(self) -> None:
        """It takes in by itself."""

    def ledger(self, order_id: str) -> list[tuple[str, int]]:
        with open_books(self._data, Settings()) as books:
            return [(str(entry.kind), entry.amount) for entry in books.work.orders.entries(order_id)]

    def mails(self, order_id: str) -> list[tuple[str, str]]:
        with open_books(self._data, Settings()) as books:
            found = [posted.mail for posted in books.mailbox.of(order_id)]
        return sorted((str(mail.status), mail.recipient.removesuffix("@example.com")) for mail in found)


class AwsHouse:
    def __init__(self, town: Town) -> None:
        self._town = town

    def post(self, order: Any, key: str) -> None:
        self._town.post(json.dumps(order), {"Idempotency-Key": key})
        self.settle()

    def rest(self, method: str, path: str, body: Any = None) -> Answer:
        path, _, query = path.partition("?")
        given: Any = {name: [value] for name, value in (pair.split("=") for pair in query.split("&") if pair)}
        event = {
            "httpMethod": method,
            "path": path,
            "multiValueQueryStringParameters": given or None,
            "headers": {"Content-Type": "application/json"},
            "body": None if body is None else json.dumps(body),
            "requestContext": {"authorizer": {"claims": {"sub": ANN, "cognito:groups": "operators"}}},
        }
        answer = self._town.invoke("Rest", event)
        return Answer(answer["statusCode"], json.loads(answer["body"]) if answer["body"] else None)

    def graphql(self, mutation: str, **arguments: Any) -> Any:
        info = {"parentTypeName": "Mutation", "fieldName": mutation}
        identity = {"sub": ANN, "groups": ["operators"]}
        answer = self._town.invoke("Graphql", {"info": info, "arguments": arguments, "identity": identity})
        self.settle()
        return answer["error"]["type"] if "error" in answer else answer["value"]

    def settle(self) -> None:
        patience.until(lambda: not self._town.poll(), "the queue is empty")

    def ledger(self, order_id: str) -> list[tuple[str, int]]:
        return self._town.ledger(order_id)

    def mails(self, order_id: str) -> list[tuple[str, str]]:
        rows = self._town.rows("StoreMail", order_id)
        found = [(row["status"]["S"], row["recipient"]["S"].removesuffix("@example.com")) for row in rows]
        return sorted(found)


def new_id() -> str:
    return str(uuid.uuid4())


def until(house: House, order_id: str, *statuses: str) -> Any:
    """Waits until the order has one of the statuses; the order."""

    def order() -> Any:
        answer = house.rest("GET", f"/orders/{order_id}")
        return answer.body if answer.status == 200 and answer.body["order_status"] in statuses else None

    return patience.until(order, f"{order_id} comes to {' or '.join(statuses)}")
