"""The conversations with a payment provider behind a URL. Their rules stand in docs/how-to/gateways.md:

- when an earlier try of a charge may have arrived, the provider is asked about it first; its first answer is final;
- a charge that the provider never saw is made, unless its first try is so old that it may have been forgotten;
- a refund may be repeated at any time, and nothing is charged under its charge's key once it is answered: so what the
  provider then says about that key is final as well;
- a provider that is too busy and says for how long is asked again after that time, when it is short;
- an answer that settles nothing is PaymentUnavailable.

Every request bears the secret, when one is set.
"""

from functools import partial
from typing import Annotated, Literal, TypeAlias
from urllib.parse import quote, urlencode

import msgspec

from expediter.app.gateways.charging import answered, charged_once
from expediter.app.gateways.http import (
    Conversation,
    Finding,
    HttpRequest,
    HttpResponse,
    Secret,
    authorized,
    cleaned,
    parsed,
    pause,
    succeeded,
)
from expediter.app.tasks.calls import (
    Charge,
    Done,
    LookUp,
    NeverSeen,
    Pending,
    Refund,
    Refunded,
    Refused,
    StatedRefund,
    Statement,
)
from expediter.domain.errors import PaymentUnavailable
from expediter.domain.money import LARGEST_TOTAL
from expediter.domain.refunds import Dispute

DECLINED = "The payment was declined."
REFUSED = "The payment provider did not make the refund."
#: The statuses of an answer that refuses a refund in part.
_NOT_GIVEN_BACK = frozenset({200, 402, 409, 422})
#: Seconds for which a payment can be pending, at most: 30 days.
LONGEST_WAIT = 30 * 24 * 3600

#: What the customer is shown of a pending payment.
_Shown: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=2048)]

_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
_Amount = Annotated[int, msgspec.Meta(ge=1, le=LARGEST_TOTAL)]


class _ChargeBody(msgspec.Struct, frozen=True, omit_defaults=True):
    order_id: str
    amount: int
    currency: str
    payment_method: str | None = None


class _RefundBody(msgspec.Struct, frozen=True):
    order_id: str
    charge_key: str
    charge_id: str | None
    amount: int
    currency: str


class _Said(msgspec.Struct, frozen=True):
    status: Literal["ok", "error", "pending"]
    error_message: str | None = None
    try_again: bool = False
    charge_id: str | None = None
    refund_id: str | None = None
    client_secret: _Shown | None = None
    redirect_url: _Shown | None = None
    wait_seconds: Annotated[int, msgspec.Meta(ge=1, le=LONGEST_WAIT)] | None = None


class _SaidRefund(msgspec.Struct, frozen=True):
    refund_id: _Id
    amount: _Amount
    currency: str
    status: Literal["ok", "failed"]
    key: str | None = None


class _SaidDispute(msgspec.Struct, frozen=True):
    dispute_id: _Id
    amount: _Amount
    status: Literal["inquiry", "open", "won", "lost"]
    reason: str = ""


class _Books(msgspec.Struct, frozen=True):
    refunds: tuple[_SaidRefund, ...] = ()
    disputes: tuple[_SaidDispute, ...] = ()


@answered
def find(key: str, secret: Secret, after: float = 0.0) -> Finding:
    """What became of the charge under this key; nothing is moved. Raises PaymentUnavailable.

    ``after``: the seconds to wait before asking.
    """
    question = HttpRequest("GET", f"/charges/{quote(key, safe='')}", {"Idempotency-Key": key}, pause=after)
    seen = yield from authorized(question, secret)
    return NeverSeen() if seen.status == 404 else _first_answer(seen)


@answered
def charge(call: Charge, now: int, secret: Secret) -> Conversation:
    """Charges the customer: Done, Refused or Pending. Raises PaymentUnavailable."""
    body = _ChargeBody(call.order_id, call.amount, call.currency, call.payment_method)
    request = _post("/charges", call.key, body)
    return charged_once(call, now, secret, request=request, find=partial(find, call.key, secret), read=_first_answer)


@answered
def refund(call: Refund, now: int, secret: Secret) -> Conversation:
    """Gives the money back: Refunded; for a part also Refused. Raises PaymentUnavailable."""
    body = _RefundBody(call.order_id, call.charge_key, call.charge_id, call.amount, call.currency)
    request = _post("/refunds", call.key, body)
    response = yield from authorized(request, secret)
    if (busy := pause(response, now)) is not None:
        response = yield from authorized(msgspec.structs.replace(request, pause=busy), secret)
    said = parsed(response, _Said)
    if call.part and said is not None and said.status == "error" and response.status in _NOT_GIVEN_BACK:
        return Refused(cleaned(said.error_message or "") or REFUSED)
    if not succeeded(response) or said is None or said.status != "ok":
        raise _unsettled(response)
    if call.charge_known:
        return Refunded(said.refund_id, charged=True, charge_id=call.charge_id)
    found = yield from find(call.charge_key, secret)
    if isinstance(found, Done):
        return Refunded(said.refund_id, charged=True, charge_id=found.reference)
    if isinstance(found, Pending):
        raise PaymentUnavailable("The payment provider says that the refund is done and the charge is pending.")
    return Refunded(said.refund_id, charged=False)


@answered
def look_up(call: LookUp, _: int, secret: Secret) -> Conversation:
    """What the provider's books say of the charge: Statement. A provider without such a list says nothing of it (404).

    Raises PaymentUnavailable.
    """
    question = HttpRequest("GET", f"/refunds?{urlencode({'charge_key': call.charge_key or ''})}", {})
    response = yield from authorized(question, secret)
    if response.status == 404:
        return Statement(call.order_id)
    said = parsed(response, _Books) if succeeded(response) else None
    if said is None:
        raise _unsettled(response)
    return Statement(
        call.order_id,
        tuple(StatedRefund(it.refund_id, it.amount, it.currency, it.status == "ok", it.key) for it in said.refunds),
        tuple(_dispute(it) for it in said.disputes),
    )


def _dispute(said: _SaidDispute) -> Dispute:
    """The provider takes the money of a dispute until it is won; it asks about an inquiry only."""
    withdrawn, closed = said.status in ("open", "lost"), said.status in ("won", "lost")
    return Dispute(said.dispute_id, said.amount, 0, cleaned(said.reason), said.status, withdrawn, closed)


def _first_answer(response: HttpResponse) -> Done | Refused | Pending:
    """The provider's first answer to a charge, whether it comes now or came before; a pending charge gets another.

    A 402 with any body is a decline, except with one that says that the money was taken: that settles nothing.
    """
    said = parsed(response, _Said)
    if said is not None and said.status == "ok" and succeeded(response):
        return Done(said.charge_id)
    if said is not None and said.status == "pending" and succeeded(response):
        return Pending(said.charge_id, said.client_secret, said.redirect_url, said.wait_seconds)
    if said is not None and said.status == "error" and (succeeded(response) or response.status == 402):
        return Refused(cleaned(said.error_message or "") or DECLINED, said.try_again)
    if said is None and response.status == 402:
        return Refused(DECLINED)
    raise _unsettled(response)


def _unsettled(response: HttpResponse) -> PaymentUnavailable:
    if response.status == 401:
        return PaymentUnavailable(
            "The payment provider does not take our token (HTTP 401). Check EXPEDITER_PAYMENTS_TOKEN."
        )
    return PaymentUnavailable(f"The payment provider's answer (HTTP {response.status}) settles nothing.")


def _post(path: str, key: str, body: _ChargeBody | _RefundBody) -> HttpRequest:
    headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
    return HttpRequest("POST", path, headers, msgspec.json.encode(body))
