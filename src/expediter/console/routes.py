"""Every page and act of the console: method and path to handler and scope. ``{id}`` stands for one part of a path."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from expediter.app.access import Scope
from expediter.app.operator.services import OperatorServices
from expediter.console.pages import audit, dead_letters, flow, mail, order, orders, workflow
from expediter.console.visit import Route

ROUTES: Mapping[tuple[str, str], Route] = {
    ("GET", "/console"): Route(orders.list_orders, Scope.ORDERS_READ),
    ("GET", "/console/orders/new"): Route(orders.new_order, Scope.ORDERS_WRITE),
    ("POST", "/console/orders"): Route(orders.place_order, Scope.ORDERS_WRITE, "console:place"),
    ("GET", "/console/orders/{id}"): Route(order.show_order, Scope.ORDERS_READ),
    ("POST", "/console/orders/{id}/cancel"): Route(order.cancel_order, Scope.ORDERS_WRITE, "console:cancel"),
    ("POST", "/console/orders/{id}/again"): Route(order.order_again, Scope.ORDERS_WRITE, "console:again"),
    ("POST", "/console/orders/{id}/retry"): Route(order.retry_order, Scope.REFUNDS, "console:retry"),
    ("POST", "/console/orders/{id}/revoke-links"): Route(
        order.revoke_links, Scope.ORDERS_WRITE, "console:revoke-links"
    ),
    ("GET", "/console/dead-letters"): Route(dead_letters.list_letters, Scope.DLQ_READ),
    ("POST", "/console/dead-letters/redrive"): Route(dead_letters.redrive_letters, Scope.DLQ, "console:redrive-all"),
    ("GET", "/console/dead-letters/{id}"): Route(dead_letters.show_letter, Scope.DLQ_READ),
    ("POST", "/console/dead-letters/{id}/redrive"): Route(dead_letters.redrive_letter, Scope.DLQ, "console:redrive"),
    ("POST", "/console/dead-letters/{id}/delete"): Route(dead_letters.delete_letter, Scope.DLQ, "console:delete"),
    ("POST", "/console/dead-letters/{id}/correct"): Route(dead_letters.correct_letter, Scope.DLQ, "console:correct"),
    ("GET", "/console/audit"): Route(audit.list_entries, Scope.AUDIT),
    ("GET", "/console/mailbox"): Route(mail.list_mails, Scope.MAIL_READ),
    ("GET", "/console/mailbox/{id}"): Route(mail.show_mail, Scope.MAIL_READ),
    ("POST", "/console/mailbox/{id}/resend"): Route(mail.resend_mail, Scope.MAIL, "console:resend"),
    ("GET", "/console/flow"): Route(flow.show_flow, Scope.ORDERS_READ),
    ("GET", "/console/workflow"): Route(workflow.show_workflow, Scope.WORKFLOW_READ),
    ("GET", "/console/workflow/try"): Route(workflow.try_form, Scope.WORKFLOW),
    ("POST", "/console/workflow/try"): Route(workflow.try_workflow, Scope.WORKFLOW, tries=True),
}


class Marked(NamedTuple):
    """A live page that is loaded again when its ``mark`` changes, and the scope that it needs."""

    mark: Callable[[OperatorServices], str]
    need: Scope


#: By the last part of their live address.
MARKED: Mapping[str, Marked] = {
    "letters": Marked(dead_letters.letters_mark, Scope.DLQ_READ),
    "mailbox": Marked(mail.mails_mark, Scope.MAIL_READ),
    "flow": Marked(flow.flow_mark, Scope.ORDERS_READ),
    "workflow": Marked(workflow.workflow_mark, Scope.WORKFLOW_READ),
}

#: What every live page needs, by what follows ``/console/live/``.
LIVE: Mapping[str, Scope] = {
    **{name: page.need for name, page in MARKED.items()},
    "orders": Scope.ORDERS_READ,
    "orders/{id}": Scope.ORDERS_READ,
}
