"""Every page and act of the console: method and path to handler. ``{id}`` stands for one part of a path."""

from collections.abc import Mapping

from expediter.app.desk import Desk
from expediter.console import customer_page, flow_page, letters_page, mail_page, order_page, orders_page, workflow_page
from expediter.console.visit import Route

ROUTES: Mapping[tuple[str, str], Route] = {
    ("GET", "/console"): Route(orders_page.list_orders),
    ("GET", "/console/orders/new"): Route(orders_page.new_order),
    ("POST", "/console/orders"): Route(orders_page.place_order, "console:place"),
    ("GET", "/console/orders/{id}"): Route(order_page.show_order),
    ("POST", "/console/orders/{id}/cancel"): Route(order_page.cancel_order, "console:cancel"),
    ("POST", "/console/orders/{id}/again"): Route(order_page.order_again, "console:again"),
    ("POST", "/console/orders/{id}/retry"): Route(order_page.retry_order, "console:retry"),
    ("GET", "/console/dead-letters"): Route(letters_page.list_letters),
    ("POST", "/console/dead-letters/redrive"): Route(letters_page.redrive_letters, "console:redrive-all"),
    ("GET", "/console/dead-letters/{id}"): Route(letters_page.show_letter),
    ("POST", "/console/dead-letters/{id}/redrive"): Route(letters_page.redrive_letter, "console:redrive"),
    ("POST", "/console/dead-letters/{id}/delete"): Route(letters_page.delete_letter, "console:delete"),
    ("POST", "/console/dead-letters/{id}/correct"): Route(letters_page.correct_letter, "console:correct"),
    ("GET", "/console/mailbox"): Route(mail_page.list_mails),
    ("GET", "/console/mailbox/{id}"): Route(mail_page.show_mail),
    ("POST", "/console/mailbox/{id}/resend"): Route(mail_page.resend_mail, "console:resend"),
    ("GET", "/console/flow"): Route(flow_page.show_flow),
    ("GET", "/console/workflow"): Route(workflow_page.show_workflow),
    ("GET", "/console/workflow/try"): Route(workflow_page.try_form),
    ("POST", "/console/workflow/try"): Route(workflow_page.try_workflow, alone=True),
}

#: The customer's page; its id comes out of the signed token in its address.
CUSTOMER = Route(customer_page.show_customer)

#: Pages that are loaded again when their mark changes, by the last part of their live address.
MARKS = {
    "letters": letters_page.letters_mark,
    "mailbox": mail_page.mails_mark,
    "flow": flow_page.flow_mark,
    "workflow": workflow_page.workflow_mark,
}


def find(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """The route for a path and the values in it; None: there is none."""
    method = "GET" if method == "HEAD" else method
    if route := ROUTES.get((method, path)):
        return route, {}
    parts = path.split("/")
    if len(parts) < 4 or not parts[3]:
        return None
    pattern = "/".join([*parts[:3], "{id}", *parts[4:]])
    route = ROUTES.get((method, pattern))
    return (route, {"id": parts[3]}) if route else None


def mark(name: str, desk: Desk) -> str:
    return MARKS[name](desk)
