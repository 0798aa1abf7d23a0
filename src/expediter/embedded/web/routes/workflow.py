"""The operations of openapi.json about executions and versions of the workflow.

On AWS they are operations of Step Functions.
"""

from typing import Annotated, TypeVar

import msgspec

from expediter.api.errors import RequestUnparsable
from expediter.api.request import JSON, Request, Response, arguments
from expediter.api.rest import require_json
from expediter.app import orders
from expediter.app.faults import explained, reason
from expediter.app.instants import instant
from expediter.app.operator import actions, versions
from expediter.app.operator.audit import operator_of
from expediter.app.operator.services import OperatorServices, Version
from expediter.app.operator.versions import VersionNotFound
from expediter.app.strict_json import decode
from expediter.asl.protocol import Json
from expediter.domain.errors import NO_ROUTING, NO_VERSION, Fault, OrderInvalid
from expediter.embedded.web.backend import Backend
from expediter.embedded.web.routes.once import carry_out_once, said

Form = TypeVar("Form", bound=msgspec.Struct)


class NewRouting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The versions on which new orders start: version -> percent."""

    percents: dict[Annotated[int, msgspec.Meta(ge=1, le=2**62)], Annotated[int, msgspec.Meta(ge=1, le=100)]]


class NewVersion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new definition. It is stored as a version."""

    definition: dict[str, Json]


class VersionView(msgspec.Struct, frozen=True):
    """A version as REST shows it. ``orders``: how many run on it; ``percent``: of new orders. Lists leave out
    ``definition``.
    """

    version: int
    hash: str
    first_used: str
    orders: int
    percent: int
    definition: dict[str, Json] | msgspec.UnsetType = msgspec.UNSET


def view(version: Version) -> VersionView:
    """The version without its definition."""
    return VersionView(version.no, version.hash, instant(version.first_used), version.live, version.percent)


def _listed(found: tuple[Version, ...]) -> Response:
    return _json({"items": list(map(view, found))})


def list_versions(home: Backend, _: Request) -> Response:
    return _listed(home.read_as_operator(lambda services: services.runs.versions()))


def get_version(home: Backend, request: Request) -> Response:
    """Raises VersionNotFound."""
    no = _number(request)
    found = home.read_as_operator(lambda services: versions.find(services, no))
    return _json(msgspec.structs.replace(view(found), definition=found.body))


def count_states(home: Backend, request: Request) -> Response:
    """Raises VersionNotFound, OrderInvalid."""
    no, cursor = _number(request), arguments(request, frozenset({"cursor"})).get("cursor")
    return _json(home.read_as_operator(lambda services: versions.states(services, no, cursor)))


async def publish_version(home: Backend, request: Request) -> Response:
    """Raises MediaTypeUnsupported, RequestUnparsable, OrderInvalid."""
    given, who = _body(request, NewVersion, NO_VERSION), operator_of(request.caller)
    made = await home.write_as_operator(
        lambda services: versions.publish(services, who, given.definition), "publishWorkflowVersion"
    )
    return _json(view(made))


async def set_routing(home: Backend, request: Request) -> Response:
    """Raises MediaTypeUnsupported, RequestUnparsable, OrderInvalid."""
    given, who = _body(request, NewRouting, NO_ROUTING), operator_of(request.caller)
    await home.write_as_operator(lambda services: versions.route(services, who, given.percents), "setWorkflowRouting")
    return list_versions(home, request)


async def undo_routing(home: Backend, request: Request) -> Response:
    """Raises NotRouted, IdempotencyKeyReused."""
    who = operator_of(request.caller)

    def undo(services: OperatorServices) -> bytes:
        versions.undo_route(services, who)
        return b""

    answer = await carry_out_once(home, request, "undoWorkflowRouting", undo)
    return said(list_versions(home, request), answer)


async def redrive_order(home: Backend, request: Request) -> Response:
    """Raises OrderNotFound, NotRetryable, IdempotencyKeyReused."""
    who = operator_of(request.caller)

    def redrive(services: OperatorServices) -> bytes:
        order = orders.find(services.work, request.caller, request.params["id"])
        return msgspec.json.encode({"state": actions.redrive(services, who, order.id)})

    answer = await carry_out_once(home, request, "redriveOrder", redrive)
    return said(Response(200, (("Content-Type", JSON),), answer.body), answer)


# ── parts of requests ─────────────────────────────────────────────────────────────────────────────────────────────


def _number(request: Request) -> int:
    text = request.params["version"]
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise VersionNotFound
    return int(text)


def _body(request: Request, form: type[Form], what: str) -> Form:
    require_json(request.headers)
    try:
        return decode(request.body, form)
    except msgspec.ValidationError as error:
        found = explained(error)
        raise OrderInvalid((Fault(found.path, found.message),), what) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RequestUnparsable(f"The body is not JSON: {reason(error)}.") from error


def _json(value: object) -> Response:
    return Response(200, (("Content-Type", JSON),), msgspec.json.encode(value))
