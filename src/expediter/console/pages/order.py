"""One order: its money, its way through the workflow, what happened when, its mails, and what can be done."""

from collections.abc import Iterable

from expediter.api.request import Response
from expediter.app import orders
from expediter.app.access import Scope
from expediter.app.operator import actions, operations, steps
from expediter.app.operator.services import OperatorServices
from expediter.app.ports import Caller
from expediter.asl.protocol import Json
from expediter.console.drawing.flow_graph import flow_graph
from expediter.console.render import drawing, page
from expediter.console.timeline import moments, moments_of_money
from expediter.console.visit import Visit, to
from expediter.domain.errors import Fault, OrderAlreadyEnded, OrderAlreadySent, OrderInvalid
from expediter.domain.ledger import EntryKind, LedgerEntry
from expediter.domain.order import Order, require_open

_CALLER = Caller()


def show_order(services: OperatorServices, visit: Visit) -> Response:
    """Raises OrderNotFound."""
    return _show(services, visit)


def cancel_order(services: OperatorServices, visit: Visit) -> Response:
    order_id = visit.params["id"]
    actions.cancel(services, visit.who, order_id)
    return to(_address(order_id), "cancelled")


def order_again(services: OperatorServices, visit: Visit) -> Response:
    placed = actions.again(services, visit.who, visit.params["id"], visit.new_id())
    return to(_address(placed.id), "again")


def retry_order(services: OperatorServices, visit: Visit) -> Response:
    order_id, state, body = visit.params["id"], visit.form.get("state", ""), visit.form.get("input", "")
    try:
        actions.retry(services, visit.who, order_id, state, body.encode())
    except OrderInvalid as error:
        return _show(services, visit, {state: body}, error.faults)
    return to(_address(order_id), "retried")


def revoke_links(services: OperatorServices, visit: Visit) -> Response:
    order_id = visit.params["id"]
    actions.revoke_links(services, visit.who, order_id)
    return to(_address(order_id), "revoked")


def _address(order_id: str) -> str:
    return f"/console/orders/{order_id}"


def _show(
    services: OperatorServices, visit: Visit, edited: dict[str, str] | None = None, faults: tuple[Fault, ...] = ()
) -> Response:
    order_id = visit.params["id"]
    order = orders.find(services.work, _CALLER, order_id)
    timeline = operations.timeline(services.work, _CALLER, order_id)
    way = steps.way(timeline.events)
    entries = services.work.orders.entries(order_id)
    mails = services.mailbox.of(order_id) if visit.may(Scope.MAIL_READ) else ()
    acts = services.audit.of(order_id) if visit.may(Scope.AUDIT) else ()
    return page(
        "order",
        visit,
        status=422 if faults else 200,
        order=order,
        charged=_sum(entries, EntryKind.CHARGE),
        refunded=-_sum(entries, EntryKind.REFUND, EntryKind.REFUND_FAILED),
        disputed=-_sum(entries, EntryKind.DISPUTE, EntryKind.DISPUTE_WON),
        graph=_graph(services.runs.definition(order_id), way),
        way=way,
        queued=not timeline.events and not timeline.pruned,
        pruned=timeline.pruned,
        moments=moments(timeline.events, way.steps, acts, mails, money=moments_of_money(entries, order.disputes or ())),
        mails=mails,
        retries=actions.retries(services, order_id) if visit.may(Scope.REFUNDS) else (),
        edited=edited or {},
        faults=faults,
        cancellable=_cancellable(order),
        repeatable=order.ended and not order.erased,
        link=visit.site.link(order_id, services.links.generation(order_id), visit.now),
        mark=services.runs.mark(order_id),
    )


def _sum(entries: Iterable[LedgerEntry], *kinds: EntryKind) -> int:
    """Minor units that came to us with the entries of these kinds."""
    return sum(entry.signed for entry in entries if entry.kind in kinds)


def _graph(definition: Json | None, way: steps.Way) -> object:
    if definition is None:
        return ""
    outcomes = {step.name: step.outcome for step in way.steps}
    return drawing(flow_graph(definition, outcomes, way.taken, linked=True))


def _cancellable(order: Order) -> bool:
    try:
        require_open(order)
    except (OrderAlreadySent, OrderAlreadyEnded):
        return False
    return True
