"""Somebody who calls the embedded home: by HTTP, and by a websocket for subscriptions."""

import json
from typing import Any

import httpx
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from tests.journeys.parity.houses import Answer, Refusal

PROTOCOL = Subprotocol("graphql-transport-ws")
_DOCUMENTS = {
    "Mutation.postOrder": "mutation($input: OrderInput!, $idempotencyKey: ID) "
    "{ postOrder(input: $input, idempotencyKey: $idempotencyKey) { id userId orderStatus total } }",
    "Mutation.cancelOrder": "mutation($id: ID!) { cancelOrder(id: $id) { id orderStatus } }",
    "Mutation.continuePayment": "mutation($id: ID!) { continuePayment(id: $id) { id orderStatus } }",
    "Mutation.updateOrder": "mutation($input: UpdateOrderInput!) { updateOrder(input: $input) { id restaurantId } }",
    "Mutation.deleteOrder": "mutation($id: ID!, $idempotencyKey: ID) "
    "{ deleteOrder(id: $id, idempotencyKey: $idempotencyKey) }",
    "Mutation.publishOrder": "mutation($id: ID!) { publishOrder(id: $id) { id orderStatus } }",
    "Subscription.orderUpdated": "subscription($id: ID!) { orderUpdated(id: $id) { id } }",
    "Query.orders": "{ orders { id userId } }",
    "Query.order": "query($id: ID!) { order(id: $id) { id orderStatus total } }",
}


class Person:
    """Somebody at both APIs of the server, with the token or the key that he shows; empty: with none."""

    def __init__(self, url: str, token: str) -> None:
        self._shown = {"Authorization": f"Bearer {token}"} if token else {}
        self._socket = url.replace("http", "ws", 1) + "/graphql"
        self.http = httpx.Client(base_url=url, timeout=30, headers=self._shown)

    def rest(self, method: str, path: str, body: Any = None, key: str | None = None) -> Answer:
        answer = self.http.request(method, path, json=body, headers={"Idempotency-Key": key} if key else {})
        challenge = answer.headers.get("WWW-Authenticate", "")
        return Answer(answer.status_code, answer.json() if answer.content else None, challenge)

    def graphql(self, field: str, **arguments: Any) -> Any:
        if field.startswith("Subscription."):
            return self._subscribed(field, arguments)
        answer = self.http.post("/graphql", json={"query": _DOCUMENTS[field], "variables": arguments})
        if answer.status_code == 401:
            return Refusal(answer.json()["error"], answer.json()["detail"])
        return _told(answer.json(), field)

    def _subscribed(self, field: str, arguments: Any) -> Any:
        """The first event, or what is said instead. Who is a stranger is closed out with 4403."""
        with connect(self._socket, subprotocols=[PROTOCOL], additional_headers=self._shown) as socket:
            socket.send(json.dumps({"type": "connection_init"}))
            try:
                socket.recv(10)
            except ConnectionClosed:
                return Refusal({4403: "Unauthorized"}[socket.close_code or 0], socket.close_reason or "")
            asked = {"query": _DOCUMENTS[field], "variables": arguments}
            socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": asked}))
            payload = json.loads(socket.recv(10))["payload"]
        return _told({"errors": payload} if isinstance(payload, list) else payload, field)

    def close(self) -> None:
        self.http.close()


def _told(answer: Any, field: str) -> Any:
    if answer.get("errors"):
        return Refusal(answer["errors"][0]["extensions"]["code"], answer["errors"][0]["message"])
    return answer["data"][field.partition(".")[2]]
