"""What a Task names outside: its Resource, which may be an integration of AWS, and the role of its Credentials."""

from expediter.asl.compiler.dataflow import template
from expediter.asl.compiler.reader import Reader
from expediter.asl.states.integrations import ACTIONS, INTEGRATION, SYNC, TOKEN, service_and_action


def check_resource(reader: Reader, resource: str) -> None:
    """Report a Resource that AWS would not accept."""
    if ":activity:" in resource:
        check_express(reader, "Resource", "activities")
    if resource.strip() and not INTEGRATION.match(resource):
        return
    service, called = service_and_action(resource)
    action, way = _split(called)
    if not action or way not in _ways(service, action):
        reader.refuse(
            "Resource",
            f"The resource provided {resource} is not recognized. The value is not a valid resource ARN, or the "
            "resource is not available in this region.",
        )
    if way:
        shown = SYNC if way.startswith(SYNC) else way
        check_express(reader, "Resource", f"'{shown}' service integration")


def check_express(reader: Reader, field: str, what: str) -> None:
    """Report what Express workflows do not have. A child execution with ExecutionType EXPRESS is one too.

    AWS refuses to create the one, and does not say that it refuses the other: that is a warning.
    Source: "Choosing workflow type in Step Functions" and "Map state in Distributed mode" (AWS developer guide).
    """
    if reader.notes.express:
        reader.refuse(field, f"Express state machine does not support {what}")
    elif reader.notes.express_child:
        reader.warn(field, f"An Express child execution does not support {what}", "EXPRESS_CHILD")


def _ways(service: str, action: str) -> tuple[str, ...]:
    """How an action may be called; empty when there is no such action.

    The actions of ``aws-sdk:…`` are those of the AWS SDK; none of them can be waited for with ``.sync``.
    """
    if service.startswith("aws-sdk:"):
        return ("", TOKEN) if service != "aws-sdk:" and ":" not in action else ()
    found = ACTIONS.get(service, {}).get(action)
    return () if found is None else ("", *found)


def _split(called: str) -> tuple[str, str]:
    action, dot, way = called.partition(".")
    return action, dot + way


def check_credentials(reader: Reader) -> None:
    """Credentials: a RoleArn, given or read as a template reads it. Nothing here assumes a role, so it is only checked.

    Source: "Accessing resources in other AWS accounts in Step Functions" (AWS developer guide).
    """
    found = reader.object("Credentials")
    if found is None:
        return
    names = ("RoleArn",) if found.jsonata else ("RoleArn", "RoleArn.$")
    found.only(*names)
    if not any(found.has(name) for name in names):
        found.complain("", "The field 'RoleArn' is required but was missing")
    found.text("RoleArn")
    template(reader, "Credentials")
