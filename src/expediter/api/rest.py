"""REST: each operation of openapi.json is one function of a unit of work and a request.

Rules: parse, call one use case, render; an operation that writes is answered after the commit that holds its writes.
"""

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from expediter import contracts
from expediter.api.errors import MediaTypeUnsupported, RequestUnparsable
from expediter.api.keys import key_uuid_in_header
from expediter.api.render import dispute_view, entry_view, letter_view, order_view, refund_view
from expediter.api.request import JSON, Headers, Request, Response, arguments, whole_number
from expediter.app import intake, orders
from expediter.app.access import Scope
from expediter.app.drafts import ChangeDraft, D, Draft, parse
from expediter.app.faults import reason
from expediter.app.idempotency import own_id
from expediter.app.instants import instant
from expediter.app.operator import operations
from expediter.app.payments import refunds
from expediter.app.ports import Caller, Query, Work
from expediter.app.strict_json import why_not_json
from expediter.domain.errors import NO_LIST, Fault, OrderInvalid
from expediter.domain.order import Order, Status

PAGE = 50
LARGEST_PAGE = 100

_encode = msgspec.json.Encoder().encode
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_JSON = (("Content-Type", JSON),)
_DONE = Response(204)
_OPENAPI = contracts.read("openapi.json")


class Operation(NamedTuple):
    """``writes``: it has to run in a unit of work, and is answered after the commit."""

    handle: Callable[[Work, Request], Response]
    writes: bool = False


# ── orders ────────────────────────────────────────────────────────────────────────────────────────────────────────


def post_order(work: Work, request: Request) -> Response:
    headers = request.headers
    given = headers.get("idempotency-key")
    given_id = given and key_uuid_in_header(given)
    key = own_id(request.caller, given_id) if given_id else request.new_id
    accepted = intake.accept(work, request.caller, new_draft(request), key)
    said = [("Location", f"/orders/{key}"), ("Order-Id", key)]
    if accepted.replayed:
        said.append(("Idempotent-Replayed", "true"))
    if "prefer" in headers and wants_representation(headers["prefer"]) and _may_read(request.caller):
        said += [*_JSON, ("Preference-Applied", "return=representation")]
        return Response(201, tuple(said), _encode(order_view(accepted.order, request.caller)))
    return Response(204, tuple(said))


def get_order(work: Work, request: Request) -> Response:
    return _json(order_view(orders.find(work, request.caller, request.params["id"]), request.caller))


def list_orders(work: Work, request: Request) -> Response:
    given = arguments(request, frozenset({"user_id", "order_status", "restaurant_id", "limit", "cursor"}))
    query = Query(
        user_id=given.get("user_id"),
        status=_status(given.get("order_status")),
        restaurant_id=given.get("restaurant_id"),
        limit=whole_number(given.get("limit"), "limit", PAGE, LARGEST_PAGE),
        cursor=given.get("cursor"),
    )
    page = orders.page(work, request.caller, query)
    return _json({"items": [order_view(order, request.caller) for order in page.items], "cursor": page.cursor})


def put_order(work: Work, request: Request) -> Response:
    orders.change(work, request.caller, request.params["id"], draft(request, ChangeDraft))
    return _DONE


def delete_order(work: Work, request: Request) -> Response:
    orders.delete(work, request.caller, request.params["id"])
    return _DONE


def cancel_order(work: Work, request: Request) -> Response:
    return _changed(orders.cancel(work, request.caller, request.params["id"]), request.caller)


def continue_payment(work: Work, request: Request) -> Response:
    return _changed(orders.come_back(work, request.caller, request.params["id"]), request.caller)


def get_timeline(work: Work, request: Request) -> Response:
    timeline = operations.timeline(work, request.caller, request.params["id"])
    shown = [{**event, "at": instant(event["at"])} for event in timeline.events]
    return _json({"order_id": timeline.order_id, "events": shown, "pruned": timeline.pruned})


def get_ledger(work: Work, request: Request) -> Response:
    order = orders.find(work, request.caller, request.params["id"])
    return _json({"items": list(map(entry_view, work.orders.entries(order.id)))})


def refund_order(work: Work, request: Request) -> Response:
    """Raises OrderInvalid without an Idempotency-Key: a refund that is sent twice must not be made twice."""
    require_json(request.headers)
    key = key_uuid_in_header(request.headers.get("idempotency-key", ""), refunds.NO_REFUND)
    if key is None:
        raise OrderInvalid((Fault("Idempotency-Key", "give one; a repeat of the request needs it"),), refunds.NO_REFUND)
    try:
        draft = refunds.refund_in(request.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RequestUnparsable(f'The body is not JSON: {reason(error)}. Send {{"amount": …, "reason": …}}.') from error
    order, refund_id = orders.find(work, request.caller, request.params["id"]), own_id(request.caller, key)
    replayed = refunds.by_id(order, refund_id) is not None
    refund = refunds.ask(work, order, refund_id, draft)
    headers = (*_JSON, ("Idempotent-Replayed", "true")) if replayed else _JSON
    return Response(202, headers, _encode(refund_view(order, refund)))


def list_refunds(work: Work, request: Request) -> Response:
    order = orders.find(work, request.caller, request.params["id"])
    refunded = [refund_view(order, refund) for refund in order.refunds or ()]
    return _json({"items": refunded, "disputes": [dispute_view(order, it) for it in order.disputes or ()]})


# ── dead letters ──────────────────────────────────────────────────────────────────────────────────────────────────


def list_dead_letters(work: Work, request: Request) -> Response:
    given = arguments(request, frozenset({"limit", "cursor"}))
    limit = whole_number(given.get("limit"), "limit", PAGE, LARGEST_PAGE)
    found = operations.letters(work, limit, given.get("cursor"))
    return _json({"items": list(map(letter_view, found.items)), "cursor": found.cursor, "count": found.count})


def get_dead_letter(work: Work, request: Request) -> Response:
    return _json(letter_view(operations.letter(work, request.params["id"])))


def delete_dead_letter(work: Work, request: Request) -> Response:
    operations.delete(work, request.params["id"])
    return _DONE


def redrive_dead_letter(work: Work, request: Request) -> Response:
    operations.redrive(work, request.params["id"])
    return _DONE


def redrive_dead_letters(work: Work, _: Request) -> Response:
    moved = operations.redrive_all(work)
    return _json({"redriven": moved.done, "remaining": moved.remaining})


def purge_dead_letters(work: Work, _: Request) -> Response:
    moved = operations.purge(work)
    return _json({"purged": moved.done, "remaining": moved.remaining})


# ── the server itself ─────────────────────────────────────────────────────────────────────────────────────────────


def get_openapi(_: Work, __: Request) -> Response:
    return Response(200, _JSON, _OPENAPI)


#: The operations of openapi.json by operationId, except those about the serving process, which its home answers.
OPERATIONS: dict[str, Operation] = {
    "postOrder": Operation(post_order, writes=True),
    "listOrders": Operation(list_orders),
    "getOrder": Operation(get_order),
    "putOrder": Operation(put_order, writes=True),
    "deleteOrder": Operation(delete_order, writes=True),
    "cancelOrder": Operation(cancel_order, writes=True),
    "continuePayment": Operation(continue_payment, writes=True),
    "getTimeline": Operation(get_timeline),
    "getLedger": Operation(get_ledger),
    "refundOrder": Operation(refund_order, writes=True),
    "listRefunds": Operation(list_refunds),
    "listDeadLetters": Operation(list_dead_letters),
    "purgeDeadLetters": Operation(purge_dead_letters, writes=True),
    "getDeadLetter": Operation(get_dead_letter),
    "deleteDeadLetter": Operation(delete_dead_letter, writes=True),
    "redriveDeadLetter": Operation(redrive_dead_letter, writes=True),
    "redriveDeadLetters": Operation(redrive_dead_letters, writes=True),
    "getOpenapi": Operation(get_openapi),
}


# ── parts of requests ─────────────────────────────────────────────────────────────────────────────────────────────


def new_draft(request: Request) -> Draft:
    """The body as a new order; a customer need not say that it is his. Raises as ``draft``."""
    if request.caller.operator:
        return draft(request, Draft)
    return draft(msgspec.structs.replace(request, body=_signed(request)), Draft)


def _signed(request: Request) -> bytes:
    """The body with its customer in front, where it names nobody; what is not a JSON object stays as it is.

    The rest stays as it was sent: ``draft`` is as strict with it as with any other body.
    """
    try:
        given = _fields(request.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return request.body
    if "user_id" in given:
        return request.body
    mine = _encode({"user_id": request.caller.user_id})
    return request.body.replace(b"{", mine[:-1] + b",", 1) if given else mine


def draft(request: Request, form: type[D]) -> D:
    """The body as a draft. Raises MediaTypeUnsupported, RequestUnparsable, OrderInvalid."""
    require_json(request.headers)
    try:
        return parse(request.body, form)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        why = why_not_json(request.body, error)
        raise RequestUnparsable(f"The body is not JSON: {why}. Correct it and send it again.") from error


def require_json(headers: Headers) -> None:
    """Raises MediaTypeUnsupported unless the media type is application/json, whatever its parameters, as it is.

    A content coding that is not read is 415 too (RFC 9110, section 15.5.16).
    """
    if "content-encoding" in headers and headers["content-encoding"].strip().lower() not in ("", "identity"):
        raise MediaTypeUnsupported("This server does not read a compressed body. Send it without Content-Encoding.")
    content_type = headers.get("content-type", "")
    if content_type != JSON and content_type.partition(";")[0].strip().lower() != JSON:
        raise MediaTypeUnsupported


def wants_representation(prefer: str) -> bool:
    """Whether the client prefers the order as the answer (RFC 7240, section 4.2)."""
    wishes = (wish.partition(";")[0].replace(" ", "").lower() for wish in prefer.split(","))
    return any(wish in {"return=representation", 'return="representation"'} for wish in wishes)


def _status(text: str | None) -> Status | None:
    if text is None:
        return None
    if text in Status.__members__:
        return Status[text]
    raise OrderInvalid((Fault("order_status", f"give one of {', '.join(Status)}"),), NO_LIST)


def _changed(order: Order, caller: Caller) -> Response:
    """The answer to a change: the order, for a caller who may read orders."""
    return _json(order_view(order, caller)) if _may_read(caller) else _DONE


def _may_read(caller: Caller) -> bool:
    return Scope.ORDERS_READ in caller.scopes


def _json(value: object) -> Response:
    return Response(200, _JSON, _encode(value))
