"""The conversations with the restaurant. Their rules stand in docs/how-to/gateways.md:

- an order is handed over under one key, so that it may be sent again; not when its first try is so old that the
  restaurant may have forgotten the key, and would cook it twice;
- a 4xx with a message is a refusal; an answer that settles nothing is RestaurantUnavailable;
- an order that the restaurant does not have (any more) counts as withdrawn.
"""

import base64
import binascii
import hmac
from contextlib import suppress
from typing import Literal
from urllib.parse import quote

import msgspec

from expediter.app.gateways.http import (
    Conversation,
    HttpRequest,
    HttpResponse,
    NoAnswer,
    Secret,
    cleaned,
    parsed,
    succeeded,
)
from expediter.app.instants import instant
from expediter.app.tasks.calls import REPEAT_WITHIN, Done, HandOver, Refused, Withdraw
from expediter.domain.errors import RestaurantUnavailable
from expediter.domain.order import Item, Order

#: 4xx that are about the moment, not about the order (RFC 9110, RFC 8470, RFC 6585).
_TRY_AGAIN = frozenset({408, 425, 429})
_GONE = frozenset({404, 410})


class _Slip(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the restaurant gets to know of an order: not the customer's address. Money in minor units.

    REST shows much the same fields (``api/render.py``), but these are two promises to two readers. A field that REST
    gains must not reach restaurants by itself.
    ``task_token``: the workflow waits until the restaurant sends it back.
    """

    id: str
    user_id: str
    restaurant_id: str
    name: str | None
    quantity: int
    items: tuple[Item, ...]
    total: int
    currency: str
    created_at: str
    task_token: str | None = None


class _Taken(msgspec.Struct, frozen=True):
    status: Literal["ok"]


class _No(msgspec.Struct, frozen=True):
    error_message: str


def hand_over(call: HandOver, now: int, secret: Secret) -> Conversation:
    """Gives the order to its restaurant: Done or Refused. ``secret`` signs it. Raises RestaurantUnavailable."""
    return _answered(_hand_over(call, secret(), now))


def withdraw(call: Withdraw, now: int, secret: Secret) -> Conversation:
    """Takes the order back: Done. ``secret`` signs it. Raises RestaurantUnavailable."""
    return _answered(_withdraw(call, secret(), now))


def _answered(conversation: Conversation) -> Conversation:
    try:
        return (yield from conversation)
    except NoAnswer as error:
        raise RestaurantUnavailable(f"The restaurant did not answer: {error}") from error


def signed(key: str, body: bytes, secret: str | None, now: int) -> dict[str, str]:
    """The headers that sign these bytes as Standard Webhooks does (https://www.standardwebhooks.com); none without a
    secret.

    ``X-Signature`` is the signature of former versions: it has no time, so that an old call could be sent again.
    """
    if not secret:
        return {}
    seconds = str(now // 1000)
    mac = hmac.digest(_key(secret), f"{key}.{seconds}.".encode() + body, "sha256")
    return {
        "Webhook-Id": key,
        "Webhook-Timestamp": seconds,
        "Webhook-Signature": f"v1,{base64.b64encode(mac).decode()}",
        "X-Signature": "sha256=" + hmac.digest(secret.encode(), body, "sha256").hex(),
    }


def _key(secret: str) -> bytes:
    """The bytes that a secret stands for: base64 after ``whsec_``; any other text is its own bytes."""
    if secret.startswith("whsec_"):
        with suppress(binascii.Error):
            return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    return secret.encode()


def _hand_over(call: HandOver, secret: str | None, now: int) -> Conversation:
    if call.repeat and now - call.tried_at > REPEAT_WITHIN:
        raise RestaurantUnavailable(
            "The restaurant was first asked more than 20 hours ago and may have forgotten; the order is not sent again."
        )
    body = msgspec.json.encode(_slip(call.order, call.task_token))
    response = yield _request("POST", "/orders", call.key, body, signed(call.key, body, secret, now))
    if succeeded(response) and (not response.body.strip() or parsed(response, _Taken) is not None):
        return Done()
    no = parsed(response, _No)
    message = cleaned(no.error_message) if no else ""
    if message and 400 <= response.status < 500 and response.status not in _TRY_AGAIN:
        return Refused(message)
    raise _unsettled(response)


def _withdraw(call: Withdraw, secret: str | None, now: int) -> Conversation:
    response = yield _request(
        "DELETE", f"/orders/{quote(call.order_id, safe='')}", call.key, b"", signed(call.key, b"", secret, now)
    )
    if succeeded(response) or response.status in _GONE:
        return Done()
    raise _unsettled(response)


def _unsettled(response: HttpResponse) -> RestaurantUnavailable:
    return RestaurantUnavailable(f"The restaurant's answer (HTTP {response.status}) settles nothing.")


def _request(method: str, path: str, key: str, body: bytes, signature: dict[str, str]) -> HttpRequest:
    headers = {"Idempotency-Key": key, **signature}
    if body:
        headers["Content-Type"] = "application/json"
    return HttpRequest(method, path, headers, body)


def _slip(order: Order, task_token: str | None) -> _Slip:
    return _Slip(
        id=order.id,
        user_id=order.user_id,
        restaurant_id=order.restaurant_id,
        name=order.name,
        quantity=order.quantity,
        items=order.items,
        total=order.total,
        currency=order.currency,
        created_at=instant(order.created_at),
        task_token=task_token,
    )
