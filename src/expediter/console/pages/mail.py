"""The mailbox: what was written to whom, and whether it went out."""

from expediter.api.request import Response
from expediter.app.operator import actions
from expediter.app.operator.services import Desk
from expediter.console.render import page
from expediter.console.visit import Visit, to

ROWS = 50
HOME = "/console/mailbox"


def list_mails(desk: Desk, visit: Visit) -> Response:
    found = desk.mailbox.page(ROWS + 1, visit.query.get("after"))
    mails, more = found[:ROWS], len(found) > ROWS
    following = mails[-1].cursor if more else None
    return page("mails", visit, mails=mails, following=following, mark=mails_mark(desk))


def mails_mark(desk: Desk) -> str:
    """A text that differs whenever the newest mails do."""
    return ".".join(f"{mail.cursor}-{mail.tries}-{mail.next_at}-{mail.sent_at}" for mail in desk.mailbox.page(10))


def show_mail(desk: Desk, visit: Visit) -> Response:
    """Raises MessageNotFound."""
    status, recipient = visit.query.get("status", ""), visit.query.get("to", "")
    posted = actions.find_mail(desk, visit.params["id"], status, recipient)
    return page("mail", visit, posted=posted, source=desk.mailbox.source(posted))


def resend_mail(desk: Desk, visit: Visit) -> Response:
    order_id = visit.params["id"]
    actions.resend(desk, visit.who, order_id, visit.form.get("status", ""), visit.form.get("to", ""))
    return to(f"/console/orders/{order_id}", "resent")
