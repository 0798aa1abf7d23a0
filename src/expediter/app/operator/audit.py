"""The audit: who did what, when, by which interface and from which address."""

from collections.abc import Mapping

import msgspec

from expediter.app import orders
from expediter.app.operator.services import DEAD_LETTERS, AuditEntry, OperatorServices
from expediter.app.ports import Caller

#: Operations over REST and GraphQL that the audit records, and its words for each. Placing an order is not among them:
#: the order itself has its time.
OPERATIONS: Mapping[str, str] = {
    "putOrder": "changed it",
    "deleteOrder": "deleted it",
    "cancelOrder": "cancelled it",
    "refundOrder": "asked for a refund",
    "redriveDeadLetter": "redrove one",
    "redriveDeadLetters": "redrove all",
    "deleteDeadLetter": "deleted one",
    "purgeDeadLetters": "deleted all",
    "Mutation.updateOrder": "changed it",
    "Mutation.deleteOrder": "deleted it",
    "Mutation.cancelOrder": "cancelled it",
}
#: The subject of sign-ins, and the audit's word for one with a wrong token.
SIGN_INS, FAILED = "sign-in", "sent a wrong token"
#: The operator's name in the audit when none is given.
NAMELESS = "operator"


class Operator(msgspec.Struct, frozen=True):
    """An operator: the name for the audit, the interface, and the address."""

    name: str
    via: str = "console"
    address: str = ""


def operator_of(caller: Caller) -> Operator:
    """The operator who calls REST or GraphQL."""
    return Operator(caller.name, caller.via, caller.address)


def record(services: OperatorServices, who: Operator, kind: str, subject: str, detail: str = "") -> None:
    """Records an action in the audit, in the unit of work of the action."""
    services.audit.record(AuditEntry(services.work.now, who.name, kind, subject, detail, who.via, who.address))


def record_operation(services: OperatorServices, caller: Caller, operation: str, subject_id: str | None) -> None:
    """Records one of OPERATIONS. ``subject_id``: its order's id or key, or its message's id."""
    kind = OPERATIONS[operation]
    if "Letter" not in operation:
        record(services, operator_of(caller), kind, orders.id_of(services.work, caller, subject_id or ""))
    else:
        record(services, operator_of(caller), kind, DEAD_LETTERS, f"message {subject_id}" if subject_id else "")
