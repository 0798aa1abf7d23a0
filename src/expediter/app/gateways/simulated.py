"""The answers of a simulated gateway. It has no memory: an answer is a function of the order's id alone.

Each function answers one kind of call; ``share`` (0 to 1) of all orders is declined.
"""

import hashlib

from expediter.app.gateways.gateway import GatewayName
from expediter.app.tasks.calls import (
    Answer,
    Charge,
    Done,
    HandOver,
    LookUp,
    Refund,
    Refunded,
    Refused,
    Statement,
    Withdraw,
)

DECLINED = "The payment was declined (simulated)."
REFUSED = "The restaurant cannot take the order (simulated)."


def declines(gateway: GatewayName, order_id: str, share: float) -> bool:
    """Whether a simulated gateway that declines ``share`` (0 to 1) of all orders declines this one.

    The gateways are independent: each hashes the id together with its own name.
    """
    if share <= 0:
        return False
    digest = hashlib.sha256(f"{gateway}:{order_id}".encode()).digest()
    return int.from_bytes(digest[:8]) < share * 2**64


def charge(share: float, call: Charge) -> Answer:
    if share > 0 and declines(GatewayName.PAYMENTS, call.order_id, share):
        return Refused(DECLINED)
    return Done(f"simulated-charge-{call.order_id}")


def find(share: float, key: str) -> Done | Refused:
    """What a charge under this key is answered, whether it was made or not: nothing is remembered."""
    order_id = key.partition("/")[0]
    if declines(GatewayName.PAYMENTS, order_id, share):
        return Refused(DECLINED)
    return Done(f"simulated-charge-{order_id}")


def refund(share: float, call: Refund) -> Answer:
    """Refunds. When the answer to the charge was lost, its result is the one that the charge would have now."""
    charge_id = find(share, call.charge_key).reference
    reference = f"simulated-refund-{call.key.replace('/', '-') if call.part else call.order_id}"
    return Refunded(reference, charged=charge_id is not None, charge_id=charge_id)


def look_up(_: float, call: LookUp) -> Answer:
    """Nobody makes refunds or disputes in the pages of a simulated provider."""
    return Statement(call.order_id or None)


def hand_over(share: float, call: HandOver) -> Answer:
    if share > 0 and declines(GatewayName.RESTAURANT, call.order_id, share):
        return Refused(REFUSED)
    return Done()


def withdraw(_: float, __: Withdraw) -> Answer:
    return Done()
