"""The audit: what operators did, newest first, and tokens that were wrong."""

from expediter.api.request import Response
from expediter.app.operator.services import DEAD_LETTERS, OperatorServices
from expediter.console.render import page
from expediter.console.visit import Visit

ROWS = 50


def list_entries(services: OperatorServices, visit: Visit) -> Response:
    given = visit.query.get("before", "")
    before = int(given) if given.isascii() and given.isdigit() and len(given) < 19 else None
    found = services.audit.page(ROWS + 1, before)
    entries, more = found[:ROWS], len(found) > ROWS
    return page("audit", visit, entries=entries, following=entries[-1].no if more else None, dead_letters=DEAD_LETTERS)
