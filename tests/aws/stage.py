"""The Lambda functions in this process, over moto: events go in as AWS writes them, and nothing else is touched."""

import importlib
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import msgspec
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from expediter.aws import clients, wiring
from expediter.aws.functions.table import FUNCTIONS
from tests.aws.world import REGION, AwsAdapters

ANN, OLGA = str(uuid.UUID(int=1)), str(uuid.UUID(int=2))
BURGERS = {"user_id": "somebody", "restaurant_id": "Restaurant 4", "quantity": 3}


def reset() -> None:
    """Forgets what a process keeps."""
    for module in (clients, wiring):
        for made in vars(module).values():
            if hasattr(made, "cache_clear"):
                made.cache_clear()


class Body(BytesIO):
    """The raw body of an answer, as urllib3 gives it."""

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self.read()


class Functions:
    def __init__(self, adapters: AwsAdapters, patch: pytest.MonkeyPatch) -> None:
        self.adapters = adapters
        self._patch = patch
        topic = adapters.session.client("sns").create_topic(Name="operators")["TopicArn"]
        self.settings(
            AWS_DEFAULT_REGION=REGION,
            AWS_ACCESS_KEY_ID="testing",
            AWS_SECRET_ACCESS_KEY="testing",
            EXPEDITER_ORDERS_TABLE="orders",
            EXPEDITER_CLAIMS_TABLE="claims",
            EXPEDITER_LEDGER_TABLE="ledger",
            EXPEDITER_MAIL_TABLE="mail",
            EXPEDITER_EVENTS_TABLE="events",
            EXPEDITER_QUEUE_URL=adapters.queue_url,
            EXPEDITER_DEAD_LETTER_URL=adapters.dead_url,
            EXPEDITER_STATE_MACHINE=adapters.machine,
            EXPEDITER_TOPIC=topic,
        )

    def settings(self, **variables: str) -> None:
        """What the stack sets; a function that ran before starts anew."""
        for name, value in variables.items():
            self._patch.setenv(name, value)
        reset()

    def call(self, name: str, event: Any) -> Any:
        """Invokes the function with the event as JSON, as Lambda does."""
        module, _, handler = FUNCTIONS[name].rpartition(".")
        text = msgspec.json.encode(event)
        answer = getattr(importlib.import_module(module), handler)(msgspec.json.decode(text), None)
        return msgspec.json.decode(msgspec.json.encode(answer))

    def message(self, body: bytes, **attributes: str) -> dict[str, Any]:
        """A record of an SQS event for a message that was really sent and received."""
        given: Any = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
        sqs, url = self.adapters.sqs, self.adapters.queue_url
        sqs.send_message(QueueUrl=url, MessageBody=body.decode(), MessageAttributes=given)
        (got,) = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"])[
            "Messages"
        ]
        return record_of(got)

    def rest(self, method: str, path: str, user: str | None = ANN, groups: str = "", **event: Any) -> Any:
        """A call through API Gateway; the answer's body parsed."""
        claims = {"claims": {"sub": user, **({"cognito:groups": groups} if groups else {})}} if user else {}
        lines = {name: [value] for name, value in event.get("headers", {}).items()}
        event = {"httpMethod": method, "path": path, "requestContext": {"authorizer": claims}, **event}
        event = {"multiValueHeaders": lines, **event}
        answer = self.call("Rest", event)
        return {**answer, "body": msgspec.json.decode(answer["body"]) if answer["body"] else None}

    def graphql(self, field: str, user: str | None = ANN, groups: tuple[str, ...] = (), **arguments: Any) -> Any:
        parent, _, name = field.partition(".")
        identity = {"sub": user, "groups": list(groups)} if user else None
        event = {"info": {"parentTypeName": parent, "fieldName": name}, "arguments": arguments, "identity": identity}
        return self.call("Graphql", event)

    def order(self, order_id: str, **fields: Any) -> Any:
        """The input of an execution for an order whose message was taken in."""
        order = {"id": order_id, "user_id": ANN, "restaurant_id": "Restaurant 4", "name": "Burger", "currency": "USD"}
        items = [{"name": "Burger", "quantity": 3, "unit_price": 1000}]
        return {"order": {**order, "items": items, "email": None, "created_at": 1, **fields}, "hold_seconds": 0}

    def before_a_write(self, once: Callable[[], Any]) -> None:
        """Has something happen when the functions' next write of an order is on its way."""
        todo = [once]

        def happen(**_: Any) -> None:
            if todo:
                todo.pop()()

        clients.dynamodb().meta.events.register("before-call.dynamodb.PutItem", happen)

    def break_down(self, service: str) -> None:
        """Has every call of the functions to a service fail from now on, as when AWS does not answer."""

        def refuse(request: Any, **_: Any) -> AWSResponse:
            return AWSResponse(request.url, 400, HTTPHeaders(), Body(b'{"__type": "AccessDeniedException"}'))

        getattr(clients, service)().meta.events.register(f"before-send.{service}", refuse)

    @contextmanager
    def throttled(self, service: str, after: int) -> Iterator[None]:
        """Inside, has one call of the functions to a service be one too many: the one after so many others."""
        client, left = {"dynamodb": clients.dynamodb, "secretsmanager": clients.secrets}[service](), [after]

        def refuse(**_: Any) -> Any:
            left[0] -= 1
            if left[0] != -1:
                return None
            answer = {"Error": {"Code": "ThrottlingException", "Message": "too fast"}, "ResponseMetadata": {}}
            return AWSResponse("", 400, HTTPHeaders(), Body()), answer

        client.meta.events.register(f"before-call.{service}", refuse)
        yield
        client.meta.events.unregister(f"before-call.{service}", refuse)

    def scan(self, table: str) -> list[Any]:
        return list(self.adapters.dynamodb.scan(TableName=table)["Items"])


def record_of(got: Any) -> dict[str, Any]:
    """A received message as Lambda's event source passes it on."""
    attributes = got.get("MessageAttributes", {})
    return {
        "messageId": got["MessageId"],
        "receiptHandle": got["ReceiptHandle"],
        "body": got["Body"],
        "attributes": got["Attributes"],
        "messageAttributes": {name: {"stringValue": value["StringValue"]} for name, value in attributes.items()},
    }


__all__ = ["ANN", "BURGERS", "OLGA", "Functions", "record_of", "reset"]
