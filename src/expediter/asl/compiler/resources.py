"""Whether a Task's Resource names an integration that AWS has."""

from expediter.asl.compiler.reader import Reader
from expediter.asl.states.integrations import ACTIONS, PREFIX, SYNC, TOKEN, service_and_action


def check_resource(reader: Reader, resource: str) -> None:
    """Report a Resource that AWS would not accept."""
    if reader.notes.express and ":activity:" in resource:
        reader.refuse("Resource", "Express state machine does not support activities")
    if resource and not resource.startswith(PREFIX):
        return
    service, called = service_and_action(resource)
    action, way = _split(called)
    if not action or way not in _ways(service, action):
        reader.refuse(
            "Resource",
            f"The resource provided {resource} is not recognized. The value is not a valid resource ARN, or the "
            "resource is not available in this region.",
        )
    if reader.notes.express and way:
        shown = SYNC if way.startswith(SYNC) else way
        reader.refuse("Resource", f"Express state machine does not support '{shown}' service integration")


def _ways(service: str, action: str) -> tuple[str, ...]:
    """How an action may be called; empty when there is no such action.

    The actions of ``aws-sdk:…`` are those of the AWS SDK; none of them can be waited for with ``.sync``.
    """
    if service.startswith("aws-sdk:"):
        return ("", TOKEN)
    found = ACTIONS.get(service, {}).get(action)
    return () if found is None else ("", *found)


def _split(called: str) -> tuple[str, str]:
    action, dot, way = called.partition(".")
    return action, dot + way
