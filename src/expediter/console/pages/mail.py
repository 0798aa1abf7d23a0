"""The mailbox: each mail, its recipient, and whether it was sent."""

from expediter.api.request import Response
from expediter.app.operator import actions
from expediter.app.operator.services import OperatorServices
from expediter.console.render import page
from expediter.console.visit import Visit, to

ROWS = 50
HOME = "/console/mailbox"


def list_mails(services: OperatorServices, visit: Visit) -> Response:
    found = services.mailbox.page(ROWS + 1, visit.query.get("after"))
    mails, more = found[:ROWS], len(found) > ROWS
    following = mails[-1].cursor if more else None
    return page("mails", visit, mails=mails, following=following, mark=mails_mark(services))


def mails_mark(services: OperatorServices) -> str:
    """A text that changes whenever the newest mails do."""
    return ".".join(f"{mail.cursor}-{mail.tries}-{mail.next_at}-{mail.sent_at}" for mail in services.mailbox.page(10))


def show_mail(services: OperatorServices, visit: Visit) -> Response:
    """Raises MessageNotFound."""
    status, recipient = visit.query.get("status", ""), visit.query.get("to", "")
    posted = actions.find_mail(services, visit.params["id"], status, recipient)
    return page("mail", visit, posted=posted, source=services.mailbox.source(posted))


def resend_mail(services: OperatorServices, visit: Visit) -> Response:
    order_id = visit.params["id"]
    actions.resend(services, visit.who, order_id, visit.form.get("status", ""), visit.form.get("to", ""))
    return to(f"/console/orders/{order_id}", "resent")
