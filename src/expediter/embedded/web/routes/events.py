"""Receives events of payment providers, and lists and redrives the dead ones.

An event is stored before it is answered. The signature proves its provider. So the answer is the same for an event that
is new, was processed before, or cannot be read. The last is a dead event, for operators.
"""

import hashlib

import msgspec

from expediter.api.errors import PathUnknown
from expediter.api.request import JSON, Request, Response
from expediter.app.instants import instant
from expediter.app.operator.audit import operator_of, record
from expediter.app.operator.services import DEAD_EVENTS, DeadEvent, OperatorServices, ReceivedEvent
from expediter.app.payments.events import SIGNATURES, EventInvalid, event_in
from expediter.app.payments.signature import require_signed
from expediter.domain.errors import MessageNotFound
from expediter.embedded.web.backend import Backend
from expediter.embedded.web.routes.once import carry_out_once, said

#: Dead events of one list at most.
LISTED = 100


class EventView(msgspec.Struct, frozen=True):
    """A dead event; bytes of its body that are no UTF-8 as ``\\xNN``."""

    id: str
    provider: str
    type: str
    reason: str
    body: str
    at: str


async def receive_stripe_event(home: Backend, request: Request) -> Response:
    """Raises PathUnknown, SignatureRefused, StoreUnavailable, TooBusy."""
    return await _receive(home, request, "stripe")


async def receive_payment_event(home: Backend, request: Request) -> Response:
    """Raises as ``receive_stripe_event``."""
    return await _receive(home, request, "payments")


async def _receive(home: Backend, request: Request, provider: str) -> Response:
    secrets, body, now = home.settings.event_secrets.get(provider, ()), request.body, home.clock.now()
    if not secrets:
        raise PathUnknown(f"No secret is set for the events of {provider}, so none is processed.")
    require_signed(request.headers.get(SIGNATURES[provider], ""), body, secrets, now)
    try:
        event = event_in(provider, body)
        received = ReceivedEvent(provider, event.id, event.type, event.order_id, body)
    except EventInvalid:
        received = ReceivedEvent(provider, hashlib.sha256(body).hexdigest(), "unreadable", None, body)

    def store(services: OperatorServices) -> None:
        services.events.receive(received, services.work.now)

    await home.write_as_operator(store, "receive event")
    return Response(204)


def list_dead_events(home: Backend, _: Request) -> Response:
    found, count = home.read_as_operator(lambda it: (it.events.dead(LISTED), it.events.count_dead()))
    body = msgspec.json.encode({"items": list(map(_shown, found)), "count": count})
    return Response(200, (("Content-Type", JSON),), body)


async def redrive_dead_event(home: Backend, request: Request) -> Response:
    """Raises MessageNotFound, IdempotencyKeyReused."""
    event_id = request.params["id"]

    def redrive(services: OperatorServices) -> bytes:
        if not services.events.redrive(event_id, services.work.now):
            raise MessageNotFound
        record(services, operator_of(request.caller), "redrove one", DEAD_EVENTS, f"event {event_id}")
        return b""

    return said(Response(204), await carry_out_once(home, request, "redriveDeadEvent", redrive))


async def delete_dead_event(home: Backend, request: Request) -> Response:
    """Raises MessageNotFound."""
    event_id = request.params["id"]

    def delete(services: OperatorServices) -> None:
        if not services.events.delete(event_id):
            raise MessageNotFound
        record(services, operator_of(request.caller), "deleted one", DEAD_EVENTS, f"event {event_id}")

    await home.write_as_operator(delete, "deleteDeadEvent")
    return Response(204)


def _shown(event: DeadEvent) -> EventView:
    body = event.body.decode("utf-8", "backslashreplace")
    return EventView(event.id, event.provider, event.type, event.reason, body, instant(event.at))
