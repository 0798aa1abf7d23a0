"""The REST API behind API Gateway (a proxy integration): every operation except postOrder, which goes to SQS."""

import logging
from urllib.parse import unquote

from expediter import contracts
from expediter.api.errors import InternalError
from expediter.api.request import Response
from expediter.api.routes import Router, operations
from expediter.asl.protocol import Json
from expediter.aws import wiring
from expediter.aws.events import answer_of, operation_of, problem_of, request_of
from expediter.aws.functions import acting
from expediter.aws.racing import settled
from expediter.domain.errors import OrderError

_log = logging.getLogger("expediter.rest")
_router = Router(operations(contracts.read("openapi.json")))


def handler(event: Json, _: object) -> Json:
    try:
        response = settled(lambda: answer(event))
    except OrderError as error:
        response = problem_of(error)
    except Exception:  # noqa: BLE001  # logged here; the answer has no details of it
        _log.exception("request %s failed", event["requestContext"].get("requestId"))
        response = problem_of(InternalError())
    return answer_of(response, wiring.configured().allowed_origin)


def answer(event: Json) -> Response:
    """Raises OrderError."""
    name, quoted = _router.find(event["httpMethod"], event["path"])
    operation = operation_of(name)
    request = request_of(event, name, {param: unquote(value) for param, value in quoted.items()})
    return acting.response(name, operation, request)
