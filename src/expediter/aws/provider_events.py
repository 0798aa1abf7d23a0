"""Takes in an event of a payment provider that API Gateway has put on its queue.

API Gateway cannot check a signature, so it is checked here, against the time at which the event came.
"""

import logging
import sys
from typing import TYPE_CHECKING

import msgspec

from expediter.app.payments.events import event_in
from expediter.app.payments.news import take
from expediter.app.payments.signature import SignatureRefused, require_signed
from expediter.app.ports import Message
from expediter.aws import wiring
from expediter.aws.figures import NAMESPACE

if TYPE_CHECKING:
    from expediter.app.gateways import Secret

#: The figure of events from which nothing follows.
UNKNOWN = "EventsUnknown"
_log = logging.getLogger("expediter.events")


def take_in(message: Message) -> None:
    """Does what follows from the event, if it is new. One that is not signed as it has to be is dropped: anybody can
    send those. Raises EventInvalid, OrderChanged, StoreUnavailable.
    """
    provider, work, events = message.attributes.get("provider", ""), wiring.work(), wiring.provider_events()
    try:
        _require_signed(message, wiring.event_secrets())
    except SignatureRefused:
        _log.warning("an event of %s was not signed as it has to be", provider)
        return
    event = event_in(provider, message.body)
    if events.known(provider, event):
        return
    acted = take(work, event)
    events.keep(provider, event, acted=acted, now=work.now)
    if not acted:
        _count(work.now)


def _require_signed(message: Message, secret: "Secret") -> None:
    """A secret that was changed a moment ago is read again. Raises SignatureRefused, StoreUnavailable."""
    header, received_at = message.attributes.get("signature", ""), int(message.attributes.get("received_at", "0"))
    known = secret() or ""
    try:
        require_signed(header, message.body, _secrets(known), received_at)
    except SignatureRefused:
        if (newer := secret(refused=known) or "") == known:
            raise
        require_signed(header, message.body, _secrets(newer), received_at)


def _secrets(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _count(now: int) -> None:
    """A line of the log that CloudWatch counts, as those of ``figures``."""
    metrics = [{"Name": UNKNOWN, "Unit": "Count"}]
    described = {"Namespace": NAMESPACE, "Dimensions": [["Stage"]], "Metrics": metrics}
    head = {"Timestamp": now, "CloudWatchMetrics": [described]}
    line = {"_aws": head, "Stage": wiring.configured().stage, UNKNOWN: 1}
    sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
