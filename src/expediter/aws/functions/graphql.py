"""Answers the fields of AppSync's schema with the server's RESOLVERS. Errors are returned as values (resolver.js)."""

import logging

from expediter.api.access import NEEDS, require, require_to_see
from expediter.api.errors import InternalError
from expediter.asl.protocol import Json
from expediter.aws.callers import from_identity
from expediter.aws.events import error_of
from expediter.aws.functions import acting
from expediter.aws.racing import settled
from expediter.domain.errors import OrderError

_log = logging.getLogger("expediter.graphql")


def handler(event: Json, _: object) -> Json:
    """``{"value": …}``, or ``{"error": {"type", "message", "faults"}}``."""
    try:
        return {"value": settled(lambda: resolve(event))}
    except OrderError as error:
        return error_of(error)
    except Exception:  # noqa: BLE001  # logged here; the answer has no details of it
        _log.exception("field %s failed", event["info"]["fieldName"])
        return error_of(InternalError())


def resolve(event: Json) -> Json:
    """Raises OrderError."""
    info = event["info"]
    field = f"{info['parentTypeName']}.{info['fieldName']}"
    caller = from_identity(event.get("identity"))
    require(caller.scopes, NEEDS[field])
    if info["parentTypeName"] == "Mutation":
        require_to_see(caller.scopes, info.get("selectionSetList", ()))
    return acting.value(field, caller, event["arguments"])
