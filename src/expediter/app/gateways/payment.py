"""The conversations with the payment provider. Their rules stand in docs/how-to/gateways.md:

- when an earlier try of a charge may have arrived, the provider is asked about it first; its first answer is final;
- a charge that the provider never saw is made, unless its first try is so old that it may have been forgotten;
- a refund may be repeated at any time, and nothing is charged under its charge's key once it is answered: so what the
  provider then says about that key is final as well;
- an answer that settles nothing is PaymentUnavailable.
"""

from collections.abc import Callable
from typing import Literal
from urllib.parse import quote

import msgspec

from expediter.app.gateways.http import Conversation, HttpRequest, HttpResponse, NoAnswer, cleaned, parsed, succeeded
from expediter.app.tasks.calls import REPEAT_WITHIN, Charge, Done, Refund, Refunded, Refused
from expediter.domain.errors import PaymentUnavailable

DECLINED = "The payment was declined."


class _ChargeBody(msgspec.Struct, frozen=True):
    order_id: str
    amount: int
    currency: str


class _RefundBody(msgspec.Struct, frozen=True):
    order_id: str
    charge_key: str
    charge_id: str | None
    amount: int
    currency: str


class _Said(msgspec.Struct, frozen=True):
    status: Literal["ok", "error"]
    error_message: str | None = None
    charge_id: str | None = None
    refund_id: str | None = None


def charge(call: Charge, now: int, _: Callable[[], str | None]) -> Conversation:
    """Charges the customer: Done or Refused. Raises PaymentUnavailable."""
    return _answered(_charge(call, now))


def refund(call: Refund, _: int, __: Callable[[], str | None]) -> Conversation:
    """Gives the money back: Refunded. Raises PaymentUnavailable."""
    return _answered(_refund(call))


def _answered(conversation: Conversation) -> Conversation:
    try:
        return (yield from conversation)
    except NoAnswer as error:
        raise PaymentUnavailable(f"The payment provider did not answer: {error}") from error


def _charge(call: Charge, now: int) -> Conversation:
    if call.repeat:
        seen = yield _lookup(call.key)
        if seen.status != 404:
            return _first_answer(seen)
        if now - call.tried_at > REPEAT_WITHIN:
            raise PaymentUnavailable(
                "The payment provider does not know a charge first tried more than 20 hours ago; it may have forgotten "
                "it, so it is not made again."
            )
    body = _ChargeBody(call.order_id, call.amount, call.currency)
    return _first_answer((yield _post("/charges", call.key, body)))


def _refund(call: Refund) -> Conversation:
    body = _RefundBody(call.order_id, call.charge_key, call.charge_id, call.amount, call.currency)
    response = yield _post("/refunds", call.key, body)
    said = parsed(response, _Said)
    if not succeeded(response) or said is None or said.status != "ok":
        raise _unsettled(response)
    if call.charge_known:
        return Refunded(said.refund_id, charged=True, charge_id=call.charge_id)
    seen = yield _lookup(call.charge_key)
    charge = Refused(DECLINED) if seen.status == 404 else _first_answer(seen)
    if isinstance(charge, Refused):
        return Refunded(said.refund_id, charged=False)
    return Refunded(said.refund_id, charged=True, charge_id=charge.reference)


def _first_answer(response: HttpResponse) -> Done | Refused:
    """The provider's first answer to a charge, whether it comes now or came before.

    A 402 with any body is a decline, except with one that says that the money was taken: that settles nothing.
    """
    said = parsed(response, _Said)
    if said is not None and said.status == "ok" and succeeded(response):
        return Done(said.charge_id)
    if said is not None and said.status == "error" and (succeeded(response) or response.status == 402):
        return Refused(cleaned(said.error_message or "") or DECLINED)
    if said is None and response.status == 402:
        return Refused(DECLINED)
    raise _unsettled(response)


def _unsettled(response: HttpResponse) -> PaymentUnavailable:
    return PaymentUnavailable(f"The payment provider's answer (HTTP {response.status}) settles nothing.")


def _lookup(key: str) -> HttpRequest:
    return HttpRequest("GET", f"/charges/{quote(key, safe='')}", {"Idempotency-Key": key})


def _post(path: str, key: str, body: _ChargeBody | _RefundBody) -> HttpRequest:
    headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
    return HttpRequest("POST", path, headers, msgspec.json.encode(body))
