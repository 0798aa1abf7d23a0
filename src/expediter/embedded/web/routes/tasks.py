"""The operations of openapi.json on /tasks/{token}: reports to tasks that wait for their token.

On AWS they are Step Functions' SendTaskSuccess, SendTaskFailure and SendTaskHeartbeat.
"""

import msgspec

from expediter.api.errors import RequestUnparsable
from expediter.api.request import Request, Response
from expediter.api.rest import require_json
from expediter.app.faults import reason
from expediter.app.strict_json import decode
from expediter.embedded.engine.task_tokens import TaskFailure, TaskHeartbeat, TaskReport, TaskSuccess
from expediter.embedded.web.backend import Backend


async def send_task_success(home: Backend, request: Request) -> Response:
    """Raises MediaTypeUnsupported, RequestUnparsable, TaskTokenUnknown, StoreUnavailable, TooBusy."""
    return await _told(home, request, success(request), "sendTaskSuccess")


async def send_task_failure(home: Backend, request: Request) -> Response:
    """Raises MediaTypeUnsupported, RequestUnparsable, TaskTokenUnknown, StoreUnavailable, TooBusy."""
    return await _told(home, request, failure(request), "sendTaskFailure")


async def send_task_heartbeat(home: Backend, request: Request) -> Response:
    """Raises TaskTokenUnknown, StoreUnavailable, TooBusy."""
    return await _told(home, request, TaskHeartbeat(), "sendTaskHeartbeat")


async def _told(home: Backend, request: Request, report: TaskReport, name: str) -> Response:
    await home.report(request.params["token"], report, name)
    return Response(204)


def success(request: Request) -> TaskReport:
    """Raises MediaTypeUnsupported, RequestUnparsable."""
    require_json(request.headers)
    try:
        return TaskSuccess(decode(request.body, object))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RequestUnparsable(f"The body is not JSON: {reason(error)}. Send the task's output as JSON.") from error


def failure(request: Request) -> TaskReport:
    """Raises MediaTypeUnsupported, RequestUnparsable."""
    require_json(request.headers)
    try:
        return decode(request.body, TaskFailure)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RequestUnparsable(
            f'The body is not a failure: {reason(error)}. Send {{"error": …, "cause": …}}.'
        ) from error
