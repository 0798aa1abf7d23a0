"""Processes an event of a payment provider that API Gateway has put on a queue, or a refund in part that our REST API
has put there.

API Gateway cannot check a signature, so it is checked here, against the time at which the event came. API Gateway names
the provider itself, so only we can name ourselves.
"""

import logging
import sys
from typing import TYPE_CHECKING

import msgspec

from expediter.app.payments.events import OURSELVES, Event, event_in
from expediter.app.payments.following import Answered, follow
from expediter.app.payments.signature import SignatureRefused, require_signed
from expediter.app.ports import Message
from expediter.aws import clock, wiring
from expediter.aws.figures import NAMESPACE

if TYPE_CHECKING:
    from expediter.app.gateways import Secret

#: The metric of events from which nothing follows.
UNKNOWN = "EventsUnknown"
_log = logging.getLogger("expediter.events")


def take_in(message: Message) -> None:
    """Processes the event if it is new. An event with a wrong signature is dropped, because anybody can send such
    events. Raises EventInvalid, PaymentUnavailable, StoreUnavailable.
    """
    provider, work, events = message.attributes.get("provider", ""), wiring.work(), wiring.provider_events()
    try:
        if provider != OURSELVES:
            _require_signed(message, wiring.event_secrets())
    except SignatureRefused:
        _log.warning("an event of %s had a wrong signature", provider)
        return
    event = event_in(provider, message.body)
    if events.known(provider, event):
        return
    acted = _followed(event)
    events.keep(provider, event, acted=acted, now=work.now)
    if not acted:
        _count(work.now)


def _followed(event: Event) -> bool:
    """Whether something followed from the event; with the calls to the provider that it needs."""
    follows = follow(wiring.work(), event)
    while not isinstance(follows, bool):
        answer = wiring.gateways().call(follows, clock.now())
        follows = follow(wiring.work(), event, Answered(follows, answer))
    return follows


def _require_signed(message: Message, secret: "Secret") -> None:
    """Reads the secret again when the signature is wrong: it may have just changed. Raises SignatureRefused,
    StoreUnavailable.
    """
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
    """Logs a line that CloudWatch counts, as ``figures`` does."""
    metrics = [{"Name": UNKNOWN, "Unit": "Count"}]
    described = {"Namespace": NAMESPACE, "Dimensions": [["Stage"]], "Metrics": metrics}
    head = {"Timestamp": now, "CloudWatchMetrics": [described]}
    line = {"_aws": head, "Stage": wiring.configured().stage, UNKNOWN: 1}
    sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
