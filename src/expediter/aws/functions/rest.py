"""The REST door behind API Gateway (a proxy integration): every operation but postOrder, which goes straight to SQS."""

import base64
import logging
from urllib.parse import unquote

from expediter import contracts
from expediter.asl.protocol import Json
from expediter.aws import clock, wiring
from expediter.aws.functions.callers import from_authorizer
from expediter.aws.functions.racing import settled
from expediter.domain.errors import OrderError, OrderNotFound
from expediter.doors.errors import RETRY_AFTER, InternalError, PathUnknown, problem
from expediter.doors.request import Request, Response
from expediter.doors.rest import OPERATIONS
from expediter.doors.routes import Router

_log = logging.getLogger("expediter.rest")
_router = Router(contracts.read("openapi.json"))


def handler(event: Json, _: object) -> Json:
    try:
        response = settled(lambda: answer(event))
    except OrderError as error:
        response = problem(error)
        if isinstance(error, OrderNotFound):  # an order just accepted may not have its row yet
            response = Response(response.status, (*response.headers, ("Retry-After", RETRY_AFTER)), response.body)
    except Exception:  # noqa: BLE001  # logged, and told without its details
        _log.exception("request %s failed", event["requestContext"].get("requestId"))
        response = problem(InternalError())
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", **dict(response.headers)}
    return {"statusCode": response.status, "headers": headers, "body": response.body.decode()}


def answer(event: Json) -> Response:
    """Raises OrderError."""
    method, path = event["httpMethod"], unquote(event["path"])
    route = _router.find(method, path)
    if route.operation not in OPERATIONS:
        raise PathUnknown(
            "This is not there on AWS: the service's own state is in CloudWatch (see its dashboard), and whoever has a "
            "task's token tells Step Functions (SendTaskSuccess, SendTaskFailure, SendTaskHeartbeat). A customer's "
            "data is in Cognito and DynamoDB."
        )
    claims = wiring.door_claims()
    response = OPERATIONS[route.operation].handle(wiring.work(claims), _request(event, method, path, route.params))
    claims.commit()
    return response


def _request(event: Json, method: str, path: str, params: Json) -> Request:
    query = event.get("multiValueQueryStringParameters") or {}
    body = event.get("body") or ""
    return Request(
        method=method,
        path=path,
        caller=from_authorizer(event["requestContext"].get("authorizer") or {}),
        new_id=clock.new_id(),
        params=params,
        query=tuple((name, value) for name, values in query.items() for value in values),
        headers={name.lower(): value for name, value in (event.get("headers") or {}).items()},
        body=base64.b64decode(body) if event.get("isBase64Encoded") else body.encode(),
    )
