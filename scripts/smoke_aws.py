"""Places orders on a deployed stack and looks whether both APIs answer: scripts/smoke_aws.py dev

It signs a user of its own up (and removes it), so it needs credentials of the account that may administer the user
pool. It has not been run on a real account by us: what it asks of AWS is documented, and still has to be seen.
"""

import json
import secrets
import sys
import time
import uuid
from pathlib import Path

import boto3
import urllib3

from expediter.asl.protocol import Json

ORDER = {"restaurant_id": "Restaurant 4", "quantity": "3"}
FIELDS = "id orderStatus total"
#: Seconds until an order has to have ended: its hold, and then some.
PATIENCE = 120


class Stack:
    """A deployed stack by its outputs, and a user signed in to it."""

    def __init__(self, stage: str) -> None:
        outputs = json.loads(Path(f"build/outputs-{stage}.json").read_text(encoding="utf-8"))[f"Orders-{stage}"]
        self.rest_url, self.graphql_url = outputs["RestUrl"].rstrip("/"), outputs["GraphqlUrl"]
        self._pool, self._client = outputs["UserPool"], outputs["UserPoolClient"]
        self._cognito = boto3.client("cognito-idp")
        self._user = f"smoke-{uuid.uuid4()}@example.com"
        self._token = self._sign_in()

    def _sign_in(self) -> str:
        password = f"Aa1!{secrets.token_urlsafe(24)}"
        made = self._cognito.admin_create_user(UserPoolId=self._pool, Username=self._user, MessageAction="SUPPRESS")
        self.user_id = next(it["Value"] for it in made["User"]["Attributes"] if it["Name"] == "sub")
        self._cognito.admin_set_user_password(
            UserPoolId=self._pool, Username=self._user, Password=password, Permanent=True
        )
        answer = self._cognito.admin_initiate_auth(
            UserPoolId=self._pool,
            ClientId=self._client,
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": self._user, "PASSWORD": password},
        )
        return str(answer["AuthenticationResult"]["AccessToken"])

    def leave(self) -> None:
        self._cognito.admin_delete_user(UserPoolId=self._pool, Username=self._user)

    def rest(self, method: str, path: str, body: Json = None, **headers: str) -> urllib3.BaseHTTPResponse:
        given = {"Authorization": self._token, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return urllib3.request(method, f"{self.rest_url}{path}", json=body, headers=given)

    def graphql(self, query: str, **variables: Json) -> Json:
        body = {"query": query, "variables": variables}
        return urllib3.request("POST", self.graphql_url, json=body, headers={"Authorization": self._token}).json()

    def ended(self, order_id: str) -> str:
        """The order's status once it has ended."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            found = self.rest("GET", f"/orders/{order_id}")
            if found.status == 200 and found.json()["order_status"] in {"SUCCESS", "FAILED", "CANCELLED"}:
                return str(found.json()["order_status"])
            time.sleep(2)
        raise AssertionError(f"{order_id} has not ended in {PATIENCE} seconds")


def by_rest(stack: Stack) -> None:
    key = str(uuid.uuid4())
    for _ in range(2):
        placed = stack.rest("POST", "/orders", {**ORDER, "user_id": stack.user_id}, Idempotency_Key=key)
        assert (placed.status, placed.headers["Order-Id"]) == (204, key), placed.data
        assert placed.headers["Location"].endswith(f"/orders/{key}"), placed.headers
    assert stack.ended(key) == "SUCCESS"
    assert stack.rest("POST", "/orders", {"quantity": 1}).status == 422


def by_graphql(stack: Stack) -> None:
    post = f"mutation($input: OrderInput!) {{ postOrder(input: $input) {{ {FIELDS} }} }}"
    placed = stack.graphql(post, input={"name": "Burger", "quantity": 3, "restaurantId": "Restaurant 4"})
    order = placed["data"]["postOrder"]
    assert order["orderStatus"] == "PENDING", placed
    assert stack.ended(order["id"]) == "SUCCESS"
    assert len(stack.graphql(f"query {{ orders(limit: 5) {{ {FIELDS} }} }}")["data"]["orders"]) >= 2


def nobody_comes_in(stack: Stack) -> None:
    assert urllib3.request("GET", f"{stack.rest_url}/orders").status == 401
    assert urllib3.request("POST", stack.graphql_url, json={"query": "{ orders { id } }"}).status == 401
    assert stack.rest("GET", "/dlq").status == 403
    assert stack.graphql("mutation { publishOrder(id: 1) { id } }")["errors"]


def main() -> None:
    stack = Stack(sys.argv[1] if len(sys.argv) > 1 else "dev")
    try:
        for check in (by_rest, by_graphql, nobody_comes_in):
            check(stack)
            print(f"ok  {check.__name__}")
    finally:
        stack.leave()


if __name__ == "__main__":
    main()
