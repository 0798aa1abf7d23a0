"""Mails. The customer and the operators get one when an order ends; operators get one for each alert about an order.
There is one mail per order, status or alert, and recipient.
"""

import re

from expediter.app.addresses import for_server
from expediter.app.instants import instant
from expediter.app.ports import Mail, OrderSettings
from expediter.domain.alert import Alert, ClockAlert
from expediter.domain.money import money
from expediter.domain.order import Order, Status

_NEWS: dict[Status, str] = {
    Status.PENDING: "Your order waits for your payment. Please complete it where you ordered; else it cannot go on.",
    Status.SUCCESS: "Your order is paid and with the restaurant.",
    Status.FAILED: "Your order could not be completed. Nothing is charged; what had been charged was given back.",
    Status.CANCELLED: "Your order is cancelled, as you asked. What had been charged was given back.",
}

#: Of each alert: what the subject says, what the text says, what to do.
_ALERTS: dict[Alert, tuple[str, str, str]] = {
    Alert.NEEDS_OPERATOR: (
        "it needs an operator",
        "Its workflow ended in an error and does not go on by itself.",
        "Open the order in the console, see which step failed and why, and retry it from there.",
    ),
    Alert.REFUND_LATE: (
        "a refund is owed for too long",
        "Giving the money back has failed for over an hour. It is tried on, once an hour at least.",
        "See in the order's timeline what the payment provider answers.",
    ),
    Alert.ORDER_LATE: (
        "it is late",
        "It should have ended by now. It goes on by itself as soon as what it waits for answers.",
        "See in the order's timeline what it waits for; if nothing, whether messages wait on the queue.",
    ),
    Alert.MAIL_GIVEN_UP: (
        "a mail about it was given up",
        "A mail about it could not be sent and is not tried any more.",
        "See why on the order's page; correct the address with the customer, or the mail server, and send it again.",
    ),
    Alert.REFUND_FAILED: (
        "a refund failed",
        "The payment provider did not make a refund, or it came back later, so the money is with us.",
        "See the order's refunds and the provider's reason; give the money back in another way, or ask once more.",
    ),
    Alert.DISPUTED: (
        "its payment is disputed",
        "The customer's bank disputes the payment. The provider may have taken the money already.",
        "Answer the dispute in the provider's own pages before its time is over.",
    ),
    Alert.DEAD_LETTER: (
        "its message is a dead letter",
        "The order was accepted, but its message could not be processed, so its workflow has not begun.",
        "See the reason among the dead letters in the console; correct the message, or send it back to the queue.",
    ),
}


def about(text: str) -> Status | Alert:
    """What a stored mail is about."""
    return Alert(text) if text in Alert.__members__ else Status(text)


def alert_mails(order_id: str, alert: Alert, since: int, settings: OrderSettings) -> tuple[Mail, ...]:
    """The mails to the operators about this alert, whose cause began at ``since`` (ms since 1970 UTC)."""
    what, text, help_ = _ALERTS[alert]
    subject = f"Orders-App: Alert for order {order_id}: {what}"
    lines = [text, help_, "", f"Order: {order_id}", f"Since: {instant(since)}", ""]
    return tuple(Mail(order_id, alert, to, subject, "\n".join(lines)) for to in dict.fromkeys(settings.notify))


def clock_mails(ahead: int, since: int, settings: OrderSettings) -> tuple[Mail, ...]:
    """The mails to the operators about the machine's clock, found ``ahead`` of the server's time at ``since``.

    ``ahead``: milliseconds; negative: behind it. ``since``: ms since 1970 UTC, the server's time.
    """
    differs = f"{abs(ahead) // 60_000} minutes {'ahead of' if ahead > 0 else 'behind'}"
    lines = [
        f"The machine's clock was set, or it was wrong before: it is {differs} the time that the server goes by.",
        "Holds, refunds and all timers keep their lengths. The times that people read approach the machine's clock by",
        "six minutes an hour, and are right again when they have reached it.",
        "See that the machine's clock is right, and that something keeps it so (NTP).",
        "",
        f"Since: {instant(since)}",
        "",
    ]
    subject = "Orders-App: The machine's clock was set"
    return tuple(
        Mail(f"server.{since}", ClockAlert.CLOCK_SET, to, subject, "\n".join(lines))
        for to in dict.fromkeys(settings.notify)
    )


def mails(order: Order, settings: OrderSettings) -> tuple[Mail, ...]:
    """The mails that the order's end calls for: to its own address, and to the operators'. One that waits for its
    payment is told to its customer only.
    """
    own = (for_server(order.email),) if order.email else ()
    recipients = dict.fromkeys(own + (() if order.status is Status.PENDING else settings.notify))
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
    lines += [f"Total:      {money(order.total, order.currency)}", ""]
    return "\n".join(lines)
