"""Every page and act of the console: method and path to handler. ``{id}`` stands for one part of a path."""

from collections.abc import Mapping

from expediter.app.operator.services import OperatorServices
from expediter.console.pages import audit, dead_letters, flow, mail, order, orders, workflow
from expediter.console.visit import Route

ROUTES: Mapping[tuple[str, str], Route] = {
    ("GET", "/console"): Route(orders.list_orders),
    ("GET", "/console/orders/new"): Route(orders.new_order),
    ("POST", "/console/orders"): Route(orders.place_order, "console:place"),
    ("GET", "/console/orders/{id}"): Route(order.show_order),
    ("POST", "/console/orders/{id}/cancel"): Route(order.cancel_order, "console:cancel"),
    ("POST", "/console/orders/{id}/again"): Route(order.order_again, "console:again"),
    ("POST", "/console/orders/{id}/retry"): Route(order.retry_order, "console:retry"),
    ("POST", "/console/orders/{id}/revoke-links"): Route(order.revoke_links, "console:revoke-links"),
    ("GET", "/console/dead-letters"): Route(dead_letters.list_letters),
    ("POST", "/console/dead-letters/redrive"): Route(dead_letters.redrive_letters, "console:redrive-all"),
    ("GET", "/console/dead-letters/{id}"): Route(dead_letters.show_letter),
    ("POST", "/console/dead-letters/{id}/redrive"): Route(dead_letters.redrive_letter, "console:redrive"),
    ("POST", "/console/dead-letters/{id}/delete"): Route(dead_letters.delete_letter, "console:delete"),
    ("POST", "/console/dead-letters/{id}/correct"): Route(dead_letters.correct_letter, "console:correct"),
    ("GET", "/console/audit"): Route(audit.list_entries),
    ("GET", "/console/mailbox"): Route(mail.list_mails),
    ("GET", "/console/mailbox/{id}"): Route(mail.show_mail),
    ("POST", "/console/mailbox/{id}/resend"): Route(mail.resend_mail, "console:resend"),
    ("GET", "/console/flow"): Route(flow.show_flow),
    ("GET", "/console/workflow"): Route(workflow.show_workflow),
    ("GET", "/console/workflow/try"): Route(workflow.try_form),
    ("POST", "/console/workflow/try"): Route(workflow.try_workflow, tries=True),
}

#: Pages that are loaded again when their mark changes, by the last part of their live address.
MARKS = {
    "letters": dead_letters.letters_mark,
    "mailbox": mail.mails_mark,
    "flow": flow.flow_mark,
    "workflow": workflow.workflow_mark,
}


def mark(name: str, services: OperatorServices) -> str:
    return MARKS[name](services)
