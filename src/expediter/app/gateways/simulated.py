"""A simulated party: it has no memory, so what it says is a function of the order's id alone."""

import hashlib
from collections.abc import Callable, Mapping

from expediter.app.gateways.gateway import Role, role
from expediter.app.tasks.calls import Answer, Call, Charge, Done, HandOver, Refund, Refunded, Refused, Withdraw

DECLINED = "The payment was declined (simulated)."
REFUSED = "The restaurant cannot take the order (simulated)."


def declines(party: Role, order_id: str, share: float) -> bool:
    """Whether a simulated party that declines ``share`` (0 to 1) of all orders declines this one.

    The parties are independent: each hashes the id together with its own name.
    """
    if share <= 0:
        return False
    digest = hashlib.sha256(f"{party}:{order_id}".encode()).digest()
    return int.from_bytes(digest[:8]) < share * 2**64


def answered(call: Call, share: float) -> Answer:
    """What the simulated party that declines ``share`` of all orders answers to the call."""
    order_id = call.order.id if isinstance(call, HandOver) else call.order_id
    return _ANSWERS[type(call)](order_id, share > 0 and declines(role(call), order_id, share))


def _charge(order_id: str, declined: bool) -> Answer:
    return Refused(DECLINED) if declined else Done(f"simulated-charge-{order_id}")


def _refund(order_id: str, declined: bool) -> Answer:
    """A charge whose answer was lost went as it would go now."""
    charge_id = None if declined else f"simulated-charge-{order_id}"
    return Refunded(f"simulated-refund-{order_id}", charged=not declined, charge_id=charge_id)


def _handover(_: str, declined: bool) -> Answer:
    return Refused(REFUSED) if declined else Done()


def _withdraw(_: str, __: bool) -> Answer:
    return Done()


_ANSWERS: Mapping[type[Call], Callable[[str, bool], Answer]] = {
    Charge: _charge,
    Refund: _refund,
    HandOver: _handover,
    Withdraw: _withdraw,
}
