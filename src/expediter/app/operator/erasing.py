"""Erases a customer: the person is removed, and the items and the money stay.

An order keeps its id, restaurant, items, prices, status, times, effects and ledger, so the money adds up as before. Its
customer, e-mail address, own name and reason are removed, and with them its mails, its workflow's history, the notes of
operators, the fingerprint of its claim, and the customer's dead letters.
"""

import msgspec

from expediter.app.operator.audit import Operator, record
from expediter.app.operator.services import DEAD_LETTERS, OperatorServices
from expediter.app.ports import Outcome
from expediter.domain import order as rules
from expediter.domain.errors import NO_ERASURE, Fault, OrderError, OrderInvalid
from expediter.domain.texts import spellings

#: Orders, and dead letters, that one call erases at most, so that a call stays short; repeat it while some remain.
BULK = 50
#: Orders under way that an error names.
NAMED = 10


class OrdersUnderWay(OrderError):
    """This customer has orders that have not come to an end. Let them end, cancel or retry them, and erase again."""


class Erased(msgspec.Struct, frozen=True):
    """How many orders and dead letters were erased now, and how many orders remain for the next call."""

    orders: int
    dead_letters: int
    remaining: int


def erase(services: OperatorServices, who: Operator, user_id: str) -> Erased:
    """Erases the customer of these orders. The audit does not name the customer, and a repeat does nothing.

    Raises OrdersUnderWay with their ids, and OrderInvalid for the name that stands for everybody who was erased.
    """
    if user_id == rules.ERASED:
        raise OrderInvalid((Fault("user_id", "this stands for everybody who was erased already"),), NO_ERASURE)
    names, customers = spellings(user_id), services.customers
    under_way = [order_id for name in names for order_id in customers.under_way(name, NAMED)][:NAMED]
    if under_way:
        raise OrdersUnderWay(f"{OrdersUnderWay().args[0]} They are: {', '.join(under_way)}.")
    order_ids = [order_id for name in names for order_id in customers.orders(name, BULK)][:BULK]
    letters = [letter for name in names for letter in customers.letters(name, BULK)][:BULK]
    for order_id in order_ids:
        _erase_order(services, order_id)
    customers.forget(order_ids)
    for order_id in order_ids:
        record(services, who, "erased its customer", order_id)
    for message_id in letters:
        _erase_letter(services, who, message_id)
    return Erased(len(order_ids), len(letters), sum(map(customers.count, names)))


def _erase_order(services: OperatorServices, order_id: str) -> None:
    order = services.work.orders.find(order_id)
    if order is not None:
        nameless = msgspec.structs.replace(
            rules.nameless(order), version=order.version + 1, updated_at=services.work.now
        )
        services.work.orders.apply(order, Outcome(nameless))


def _erase_letter(services: OperatorServices, who: Operator, message_id: str) -> None:
    """Deletes the message, and the fingerprint of its order's claim."""
    letter = services.work.dead_letters.find(message_id)
    services.work.dead_letters.delete(message_id)
    if letter is not None and "order_id" in letter.attributes:
        services.customers.disown(letter.attributes["order_id"])
    record(services, who, "erased one", DEAD_LETTERS, f"message {message_id}")
