"""What the customer and the operators are told when an order ends: one mail per order, status and recipient."""

import re

from expediter.app.ports import Mail, Settings
from expediter.domain.order import Order, Status

_NEWS: dict[Status, str] = {
    Status.SUCCESS: "Your order is paid and with the restaurant.",
    Status.FAILED: "Your order could not be completed. Nothing is charged; what had been charged was given back.",
    Status.CANCELLED: "Your order is cancelled, as you asked. What had been charged was given back.",
}


def mails(order: Order, settings: Settings) -> tuple[Mail, ...]:
    """The mails that the order's end calls for: to its own address, and to the operators'."""
    recipients = dict.fromkeys([*([order.email] if order.email else []), *settings.notify])
    if not recipients:
        return ()
    subject, text = f"Orders-App: Update for order {order.id}", _text(order)
    return tuple(Mail(order.id, order.status, recipient, subject, text) for recipient in recipients)


def message_id(mail: Mail) -> str:
    """The same for the same mail at every try, so that a repeat is recognised (RFC 5322, section 3.6.4)."""
    local = re.sub(r"[^A-Za-z0-9]", lambda match: f"={ord(match[0]):x}", mail.recipient)
    return f"<{mail.order_id}.{mail.status.lower()}.{local}@expediter>"


def _text(order: Order) -> str:
    lines = [_NEWS[order.status], ""]
    if order.error_message:
        lines += [f"Reason: {order.error_message}", ""]
    lines += [f"Order:      {order.id}", f"Restaurant: {order.restaurant_id}"]
    lines += [f"            {item.quantity} x {item.name}" for item in order.items]
    lines += [f"Total:      {order.total} {order.currency} (minor units)", ""]
    return "\n".join(lines)
