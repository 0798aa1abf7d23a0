"""What an outside party says of a task whose token it has: the operations on /tasks/{token} of openapi.json.

They are this server's own; on AWS the party calls Step Functions' SendTaskSuccess, SendTaskFailure, SendTaskHeartbeat.
"""

from collections.abc import Callable

import msgspec

from expediter.api.errors import RequestUnparsable
from expediter.api.request import Request
from expediter.api.rest import require_json
from expediter.app.faults import reason
from expediter.app.strict_json import decode
from expediter.embedded.engine.task_tokens import TaskFailure, TaskHeartbeat, TaskReport, TaskSuccess


def success(request: Request) -> TaskReport:
    """Raises MediaTypeUnsupported, RequestUnparsable."""
    require_json(request.headers.get("content-type", ""))
    try:
        return TaskSuccess(decode(request.body, object))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RequestUnparsable(f"The body is not JSON: {reason(error)}. Send the task's output as JSON.") from error


def failure(request: Request) -> TaskReport:
    """Raises MediaTypeUnsupported, RequestUnparsable."""
    require_json(request.headers.get("content-type", ""))
    try:
        return decode(request.body, TaskFailure)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RequestUnparsable(
            f'The body is not a failure: {reason(error)}. Send {{"error": …, "cause": …}}.'
        ) from error


def heartbeat(_: Request) -> TaskReport:
    return TaskHeartbeat()


#: By operationId: what each says of the task.
REPORTS: dict[str, Callable[[Request], TaskReport]] = {
    "sendTaskSuccess": success,
    "sendTaskFailure": failure,
    "sendTaskHeartbeat": heartbeat,
}
