"""The operation of openapi.json that lists the audit. On AWS there is CloudTrail."""

import msgspec

from expediter.api.render import AuditView, audit_view
from expediter.api.request import JSON, Request, Response, arguments, whole_number
from expediter.api.rest import LARGEST_PAGE, PAGE
from expediter.embedded.web.backend import Backend

#: The highest number of an entry that can be asked for.
_LARGEST = 999_999_999


class AuditPage(msgspec.Struct, frozen=True):
    """Entries, newest first. ``cursor``: the number after which the next page begins; None: this is the last page."""

    items: list[AuditView]
    cursor: int | None


def list_audit(home: Backend, request: Request) -> Response:
    """Raises OrderInvalid."""
    given = arguments(request, frozenset({"limit", "cursor"}))
    limit = whole_number(given.get("limit"), "limit", PAGE, LARGEST_PAGE)
    before = whole_number(given["cursor"], "cursor", 1, _LARGEST) if "cursor" in given else None
    found = home.read_as_operator(lambda services: services.audit.page(limit + 1, before))
    cursor = found[limit - 1].no if len(found) > limit else None
    page = AuditPage(list(map(audit_view, found[:limit])), cursor)
    return Response(200, (("Content-Type", JSON),), msgspec.json.encode(page))
