"""Turns events of AWS services into our values, and our values into the answers that these services expect."""

import base64
from collections.abc import Mapping
from urllib.parse import unquote

import msgspec

from expediter.api.access import NEEDS, require
from expediter.api.errors import RETRY_AFTER, PathUnknown, RequestUnparsable, Unauthorized, problem
from expediter.api.keys import key_uuid_in_header
from expediter.api.request import Request, Response
from expediter.api.rest import OPERATIONS, Operation
from expediter.app.access import OwnerRefused, ScopeMissing
from expediter.app.drafts import Draft, encode, parse
from expediter.app.idempotency import own_id
from expediter.app.intake import mailed_to, require_owner
from expediter.app.ports import Message
from expediter.asl.protocol import Json
from expediter.aws import clock
from expediter.aws.callers import from_authorizer, from_message
from expediter.domain.errors import IdempotencyKeyReused, OrderError, OrderInvalid, OrderNotFound

#: The error text for an operation that only a server has.
ELSEWHERE = (
    "This is not there on AWS: the service's own state is in CloudWatch (see its dashboard), and the holder of a "
    "task's token tells Step Functions (SendTaskSuccess, SendTaskFailure, SendTaskHeartbeat). A customer's data is in "
    "Cognito and DynamoDB."
)

#: Errors that are the message's own fault: it would fail again at each receive.
ITS_OWN = (OrderInvalid, IdempotencyKeyReused, OwnerRefused, ScopeMissing, Unauthorized)


def message_of(record: Json) -> Message:
    """A record of Lambda's SQS event."""
    return Message(
        id=record["messageId"],
        body=record["body"].encode(),
        attributes={name: value.get("stringValue", "") for name, value in record["messageAttributes"].items()},
        sent_at=int(record["attributes"]["SentTimestamp"]),
        receive_count=int(record["attributes"]["ApproximateReceiveCount"]),
        receipt=f"{record['messageId']} {record['receiptHandle']}",
    )


def admitted(message: Message) -> Message:
    """The message, if its caller may place this order. Messages that name no caller did not come from the API.

    API Gateway can only write the idempotency key as its ``order_id``. Here it becomes the order's id, which also
    depends on the caller. The intake refuses what is not an order. Raises ScopeMissing, OwnerRefused, Unauthorized.
    """
    if "caller" not in message.attributes:
        return message
    caller = from_message(message.attributes)
    require(caller.scopes, NEEDS["postOrder"])
    try:
        key = key_uuid_in_header(message.attributes.get("order_id", ""))
        draft = parse(message.body, Draft)
    except (OrderInvalid, RequestUnparsable, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return message
    if key is None:
        return message
    require_owner(caller, draft)
    order_id = own_id(caller, key)
    mailed = mailed_to(caller, draft)
    body = message.body if mailed is draft else encode(mailed)
    return msgspec.structs.replace(message, body=body, attributes={**message.attributes, "order_id": order_id})


def operation_of(name: str) -> Operation:
    """The operation ``name`` of openapi.json. Raises PathUnknown for an operation that AWS does not have."""
    if name not in OPERATIONS:
        raise PathUnknown(ELSEWHERE)
    return OPERATIONS[name]


def request_of(event: Json, name: str, params: Mapping[str, str]) -> Request:
    """The request for the operation ``name`` from API Gateway (a proxy). Raises Unauthorized, ScopeMissing."""
    caller = from_authorizer(event["requestContext"].get("authorizer") or {})
    require(caller.scopes, NEEDS[name])
    query = event.get("multiValueQueryStringParameters") or {}
    body = event.get("body") or ""
    return Request(
        method=event["httpMethod"],
        path=unquote(event["path"]),
        caller=caller,
        new_id=clock.new_id(),
        params=params,
        query=tuple((name, value) for name, values in query.items() for value in values),
        headers={name.lower(): ", ".join(lines) for name, lines in (event.get("multiValueHeaders") or {}).items()},
        body=base64.b64decode(body) if event.get("isBase64Encoded") else body.encode(),
    )


def answer_of(response: Response, origin: str = "") -> Json:
    """The response that API Gateway sends. ``origin``: another origin whose pages may read it; empty: none."""
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", **dict(response.headers)}
    if origin:
        # infra/api/cors.py sets the same for API Gateway's own answers
        headers |= {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Expose-Headers": "Location,Order-Id,Retry-After",
            "Vary": "Origin",
        }
    return {"statusCode": response.status, "headers": headers, "body": response.body.decode()}


def problem_of(error: OrderError) -> Response:
    """The error as a problem document. An order that is not found may have been accepted a moment ago."""
    response = problem(error)
    if not isinstance(error, OrderNotFound):
        return response
    return Response(response.status, (*response.headers, ("Retry-After", RETRY_AFTER)), response.body)


def error_of(error: OrderError) -> Json:
    """The error in the form that infra/api/resolver.js reads."""
    faults = error.faults if isinstance(error, OrderInvalid) else ()
    listed = [{"path": fault.path, "message": fault.message} for fault in faults]
    return {"error": {"type": error.name, "message": str(error), "faults": listed}}
