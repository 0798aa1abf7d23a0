"""Versions of the workflow: lists them, and sets on which of them new orders start.

An order keeps the version that it began with.
"""

import re
from collections.abc import Mapping

from expediter.app.operator.audit import Operator, record
from expediter.app.operator.services import OperatorServices, StateCounts, Version
from expediter.asl.protocol import Json
from expediter.domain.errors import NO_LIST, NO_ROUTING, Fault, OrderError, OrderInvalid

#: The subject of entries of the audit about versions.
WORKFLOW = "workflow"
_CURSOR = re.compile(r"\d{1,19}\.\d{1,19}", re.ASCII)


class VersionNotFound(OrderError):
    """The workflow has no such version. List those that there are."""


class NotRouted(OrderError):
    """There is no routing to undo: none was made, or the last one was undone. Set the routing that you want."""


def publish(services: OperatorServices, who: Operator, definition: Json) -> Version:
    """Stores a definition as a version on which no order starts yet. Raises OrderInvalid."""
    no = services.runs.publish(definition)
    record(services, who, "published a version", WORKFLOW, f"version {no}")
    return find(services, no)


def find(services: OperatorServices, no: int) -> Version:
    """The version of this number. Raises VersionNotFound."""
    found = services.runs.version(no)
    if found is None:
        raise VersionNotFound
    return found


def states(services: OperatorServices, no: int, cursor: str | None) -> StateCounts:
    """In which state the orders on a version are. Raises VersionNotFound, OrderInvalid."""
    find(services, no)
    if cursor is not None and not _CURSOR.fullmatch(cursor):
        raise OrderInvalid((Fault("cursor", "give the cursor of the page before"),), NO_LIST)
    return services.runs.states(no, cursor)


def route(services: OperatorServices, who: Operator, percents: Mapping[int, int]) -> tuple[Version, ...]:
    """Starts new orders on one or two versions, by percent. Returns the versions. Raises OrderInvalid."""
    unknown = [no for no in percents if services.runs.version(no) is None]
    faults = [Fault(f"percents.{no}", "the workflow has no such version") for no in unknown]
    if len(percents) not in {1, 2}:
        faults.append(Fault("percents", "name one version or two"))
    if sum(percents.values()) != 100 or not all(percents.values()):
        faults.append(Fault("percents", "have to be 100 together, and each at least 1"))
    if faults:
        raise OrderInvalid(tuple(faults), NO_ROUTING)
    (first, percent), *others = percents.items()
    if services.runs.route(first, percent, others[0][0] if others else None):
        shares = ", ".join(f"version {no}: {share} %" for no, share in percents.items())
        record(services, who, "routed new orders", WORKFLOW, shares)
    return services.runs.versions()


def undo_route(services: OperatorServices, who: Operator) -> tuple[Version, ...]:
    """Undoes the last routing: new orders start as they did before it.

    It can be undone only once, so that a request that is sent twice does not go back twice. Raises NotRouted.
    """
    if not services.runs.undo_route():
        raise NotRouted
    record(services, who, "took the last routing back", WORKFLOW)
    return services.runs.versions()
