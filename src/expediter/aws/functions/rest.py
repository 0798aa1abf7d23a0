"""The REST API behind API Gateway (a proxy integration): every operation but postOrder, which goes straight to SQS."""

import logging
from urllib.parse import unquote

from expediter import contracts
from expediter.api.errors import InternalError, PathUnknown
from expediter.api.request import Response
from expediter.api.rest import OPERATIONS
from expediter.api.routes import Router, operations
from expediter.asl.protocol import Json
from expediter.aws import wiring
from expediter.aws.events import ELSEWHERE, answer_of, problem_of, request_of
from expediter.aws.racing import settled
from expediter.domain.errors import OrderError

_log = logging.getLogger("expediter.rest")
_router = Router(operations(contracts.read("openapi.json")))


def handler(event: Json, _: object) -> Json:
    return answer_of(answer(event), wiring.configured().allowed_origin)


def answer(event: Json) -> Response:
    try:
        return settled(lambda: carry_out(event))
    except OrderError as error:
        return problem_of(error)
    except Exception:  # noqa: BLE001  # logged here; the answer has no details of it
        _log.exception("request %s failed", event["requestContext"].get("requestId"))
        return problem_of(InternalError())


def carry_out(event: Json) -> Response:
    """Raises OrderError."""
    name, params = _router.find(event["httpMethod"], unquote(event["path"]))
    if name not in OPERATIONS:
        raise PathUnknown(ELSEWHERE)
    request, claims = request_of(event, name, params), wiring.api_claims()
    response = OPERATIONS[name].handle(wiring.work(claims), request)
    claims.commit()
    return response
