"""Places orders on a deployed stack and looks whether both APIs answer: scripts/smoke_aws.py dev

It signs a user of its own up (and removes it), takes all concurrency from one task for a minute (and gives it back),
and reads one mail's row. So it needs credentials of the account; docs/how-to/aws-deploy.md names the rights. It has not
been run on a real account by us: what it asks of AWS is documented, and still has to be seen.
"""

import json
import secrets
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar
from urllib.parse import urljoin

import boto3
import urllib3

from expediter.asl.protocol import Json

ORDER = {"restaurant_id": "Restaurant 4", "quantity": "3"}
ITEM = {"name": "Burger", "quantity": 1, "unit_price": 350}
FIELDS = "id orderStatus total"
#: Seconds until an order has to have ended: its hold, and then some. A throttled task waits for up to five minutes.
PATIENCE = 420
#: The task that is throttled, and for how many seconds.
THROTTLED, MINUTE = "ProcessPayment", 60
#: Users' addresses: ones that SES does not take in its sandbox, and ones that bounce without harm to the account.
#: https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html#send-test-email
UNVERIFIED, BOUNCING = "smoke-{}@example.com", "bounce+{}@simulator.amazonses.com"
#: An address that is not the user's: no mail goes there.
OTHER = "nobody@example.com"

Seen = TypeVar("Seen")


class Stack:
    """A deployed stack by its outputs, and a user signed in to it. Waits are in seconds."""

    patience: float = PATIENCE
    pause: float = 2

    def __init__(self, stage: str) -> None:
        outputs = json.loads(Path(f"build/outputs-{stage}.json").read_text(encoding="utf-8"))[f"Orders-{stage}"]
        self.rest_url, self.graphql_url = outputs["RestUrl"].rstrip("/"), outputs["GraphqlUrl"]
        self._pool, self._client = outputs["UserPool"], outputs["UserPoolClient"]
        self._name, self._dead = f"Orders-{stage}", outputs["DeadLetterQueue"]
        self._cognito = boto3.client("cognito-idp")
        self.address = (UNVERIFIED if self.is_in_sandbox() else BOUNCING).format(uuid.uuid4())
        self._token = self._sign_in()

    def _sign_in(self) -> str:
        password = f"Aa1!{secrets.token_urlsafe(24)}"
        verified = [{"Name": "email", "Value": self.address}, {"Name": "email_verified", "Value": "true"}]
        made = self._cognito.admin_create_user(
            UserPoolId=self._pool, Username=self.address, UserAttributes=verified, MessageAction="SUPPRESS"
        )
        self.user_id = next(it["Value"] for it in made["User"]["Attributes"] if it["Name"] == "sub")
        self._cognito.admin_set_user_password(
            UserPoolId=self._pool, Username=self.address, Password=password, Permanent=True
        )
        answer = self._cognito.admin_initiate_auth(
            UserPoolId=self._pool,
            ClientId=self._client,
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": self.address, "PASSWORD": password},
        )
        return str(answer["AuthenticationResult"]["AccessToken"])

    def leave(self) -> None:
        self._cognito.admin_delete_user(UserPoolId=self._pool, Username=self.address)

    def rest(self, method: str, path: str, body: Json = None, **headers: str) -> urllib3.BaseHTTPResponse:
        given = {"Authorization": self._token, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return urllib3.request(method, f"{self.rest_url}{path}", json=body, headers=given)

    def graphql(self, query: str, **variables: Json) -> Json:
        body = {"query": query, "variables": variables}
        return urllib3.request("POST", self.graphql_url, json=body, headers={"Authorization": self._token}).json()

    def ended(self, order_id: str) -> str:
        """The order's status once it has ended."""

        def status() -> str:
            found = self.rest("GET", f"/orders/{order_id}")
            said = str(found.json()["order_status"]) if found.status == 200 else ""
            return said if said in {"SUCCESS", "FAILED", "CANCELLED"} else ""

        return self.until(status, f"{order_id} has ended")

    def until(self, look: Callable[[], Seen], what: str) -> Seen:
        """What ``look`` gives once that is true. Raises AssertionError when it never is."""
        end = time.monotonic() + self.patience
        while time.monotonic() < end:
            if found := look():
                return found
            time.sleep(self.pause)
        raise AssertionError(f"{what}: not within {self.patience} seconds")

    def resource(self, construct: str) -> str:
        """The name that AWS gave a resource of the stack; ``construct`` is the begin of its logical id."""
        pages = boto3.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=self._name)
        for page in pages:
            for it in page["StackResourceSummaries"]:
                if it["LogicalResourceId"][:-8] == construct:
                    return str(it["PhysicalResourceId"])
        raise LookupError(f"{self._name} has no {construct}")

    def dead(self, order_id: str) -> bool:
        """Whether the order's message is among the dead letters. It is removed from them."""
        sqs = boto3.client("sqs")
        got = sqs.receive_message(
            QueueUrl=self._dead, MaxNumberOfMessages=10, VisibilityTimeout=5, MessageAttributeNames=["order_id"]
        )
        for message in got.get("Messages", []):
            told = message.get("MessageAttributes", {}).get("order_id")
            if told and told.get("StringValue") == order_id:
                sqs.delete_message(QueueUrl=self._dead, ReceiptHandle=message["ReceiptHandle"])
                return True
        return False

    @contextmanager
    def throttled(self, task: str) -> Iterator[None]:
        """Inside, AWS throttles every call of the task."""
        functions, name = boto3.client("lambda"), self.resource(f"Functions{task}")
        kept = functions.get_function_concurrency(FunctionName=name).get("ReservedConcurrentExecutions")
        functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
        try:
            yield
        finally:
            if kept is None:
                functions.delete_function_concurrency(FunctionName=name)
            else:
                functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=kept)

    def wait_a_minute(self, order_id: str) -> None:  # noqa: ARG002  # a rehearsal looks at the order
        time.sleep(MINUTE)

    def is_in_sandbox(self) -> bool:
        return not boto3.client("sesv2").get_account().get("ProductionAccessEnabled", False)

    def sends_mail(self) -> bool:
        (found,) = boto3.client("cloudformation").describe_stacks(StackName=self._name)["Stacks"]
        given = {it["ParameterKey"]: it["ParameterValue"] for it in found.get("Parameters", [])}
        return bool(given.get("MailFrom"))

    def mail(self, order_id: str, recipient: str) -> str:
        """What became of the customer's mail: ``sent_at``, ``refused_at``, or nothing yet."""
        rows = boto3.client("dynamodb").query(
            TableName=self.resource("StoreMail"),
            KeyConditionExpression="order_id = :id",
            ExpressionAttributeValues={":id": {"S": order_id}},
        )["Items"]
        marks = [row.keys() & {"sent_at", "refused_at"} for row in rows if row["recipient"]["S"] == recipient]
        return " ".join(sorted({str(mark) for found in marks for mark in found}))


def by_rest(stack: Stack) -> None:
    key, there = str(uuid.uuid4()), ""
    for _ in range(2):
        placed = stack.rest("POST", "/orders", {**ORDER, "user_id": stack.user_id}, Idempotency_Key=key)
        assert (placed.status, placed.headers["Order-Id"]) == (204, key), placed.data
        there = urljoin(f"{stack.rest_url}/orders", placed.headers["Location"])
    assert there.startswith(stack.rest_url), there
    found = stack.until(lambda: _found(stack, there.removeprefix(stack.rest_url)), f"{there} is there")
    assert found["restaurant_id"] == ORDER["restaurant_id"], found
    assert stack.ended(key) == "SUCCESS"


def _found(stack: Stack, path: str) -> Json:
    answer = stack.rest("GET", path)
    return answer.json() if answer.status == 200 else None


def what_is_no_order_is_refused(stack: Stack) -> None:
    assert stack.rest("POST", "/orders", {"quantity": 1}).status == 422
    assert stack.rest("POST", "/orders", "no order").status == 422


def orders_of_no_and_of_101_items_are_refused(stack: Stack) -> None:
    """At once, or as dead letters: API Gateway does not count items."""
    for count in (0, 101):
        key = str(uuid.uuid4())
        body = {"user_id": stack.user_id, "restaurant_id": "Restaurant 4", "items": [ITEM] * count}
        placed = stack.rest("POST", "/orders", body, Idempotency_Key=key)
        assert placed.status in {204, 422}, placed.data
        if placed.status == 204:
            stack.until(partial(stack.dead, key), f"{count} items are a dead letter")
        assert stack.rest("GET", f"/orders/{key}").status == 404
        print(f"    {count} items: {placed.status}")


def a_throttled_task_gives_up_no_order(stack: Stack) -> None:
    key = str(uuid.uuid4())
    with stack.throttled(THROTTLED):
        assert stack.rest("POST", "/orders", {**ORDER, "user_id": stack.user_id}, Idempotency_Key=key).status == 204
        stack.wait_a_minute(key)
        assert stack.rest("GET", f"/orders/{key}").json()["order_status"] == "PENDING"
    assert stack.ended(key) == "SUCCESS"


def a_mail_that_ses_refuses_holds_up_nobody(stack: Stack) -> None:
    """It goes to the user's own address. In the sandbox SES refuses that; else the mail is sent, and bounces."""
    sandbox, key = stack.is_in_sandbox(), str(uuid.uuid4())
    body = {**ORDER, "user_id": stack.user_id, "email": OTHER}
    assert stack.rest("POST", "/orders", body, Idempotency_Key=key).status == 204
    assert stack.ended(key) == "SUCCESS"
    if not stack.sends_mail():
        print("    left out: the stack has no MailFrom")
        return
    wanted = "refused_at" if sandbox else "sent_at"
    order_id = stack.rest("GET", f"/orders/{key}").json()["id"]
    assert stack.until(lambda: stack.mail(order_id, stack.address), "the mail is sent or refused") == wanted
    assert stack.mail(order_id, OTHER) == ""


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


CHECKS = (
    by_rest,
    by_graphql,
    nobody_comes_in,
    what_is_no_order_is_refused,
    orders_of_no_and_of_101_items_are_refused,
    a_throttled_task_gives_up_no_order,
    a_mail_that_ses_refuses_holds_up_nobody,
)


def main() -> None:
    stack = Stack(sys.argv[1] if len(sys.argv) > 1 else "dev")
    try:
        for check in CHECKS:
            check(stack)
            print(f"ok  {check.__name__}")
    finally:
        stack.leave()


if __name__ == "__main__":
    main()
