"""Reconciling: per currency, charges minus refunds and disputes equal what paid, successful and owed orders hold."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, MutableMapping

import msgspec

from expediter.app.payments.refunds import key_of
from expediter.domain.ledger import EntryKind, LedgerEntry, balance
from expediter.domain.money import money
from expediter.domain.order import EffectKind, Order, Result, Status
from expediter.domain.refunds import sum_beyond, sum_gone


class Currency(msgspec.Struct, frozen=True):
    """The sums of one currency in minor units. ``held`` = ``charges`` - ``refunds`` - ``disputed`` must equal
    ``expected``. A refund that came back, and a dispute that was won, are subtracted from theirs.
    """

    currency: str
    orders: int
    charges: int
    refunds: int
    disputed: int
    expected: int

    @property
    def held(self) -> int:
        return self.charges - self.refunds - self.disputed


class Offender(msgspec.Struct, frozen=True):
    """An order (or an effect at the provider) whose money does not add up."""

    order_id: str
    problem: str


class Report(msgspec.Struct, frozen=True):
    currencies: tuple[Currency, ...]
    offenders: tuple[Offender, ...]

    @property
    def clean(self) -> bool:
        return not self.offenders


class Movement(msgspec.Struct, frozen=True):
    """One movement of money as the payment provider recorded it; ``at``: ms since 1970 UTC, 0 where it is not said."""

    key: str
    kind: str
    order_id: str
    amount: int
    currency: str
    at: int = 0


def reconcile(
    orders: Iterable[tuple[Order, tuple[LedgerEntry, ...]]],
    provider: Iterable[Movement] | None = None,
    *,
    since: int = 0,
    kept: MutableMapping[str, Movement] | None = None,
) -> Report:
    """Adds up the orders and the ledger, and compares them with the provider's records when they are given.

    ``orders`` (each with its ledger entries) is read once. The provider's records are ``kept`` there meanwhile, in
    memory where nothing is given. ``since``: what is older (ms since 1970 UTC) is not compared with them.
    """
    offenders: list[Offender] = []
    records = None if provider is None else _by_key(provider, {} if kept is None else kept, offenders)
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0, 0])
    for order, entries in orders:
        _add(sums[order.currency], order, entries)
        offenders += _own_offences(order, entries)
        if records is not None:
            offenders += _provider_offences(order, entries, records, since)
    for left in () if records is None else records.values():
        if left.at >= since:
            offenders.append(Offender(left.order_id, f"the provider has {left.kind} {left.key}, we do not"))
    currencies = (Currency(currency, *numbers) for currency, numbers in sorted(sums.items()))
    return Report(currencies=tuple(currencies), offenders=tuple(offenders))


def _by_key(
    provider: Iterable[Movement], records: MutableMapping[str, Movement], offenders: list[Offender]
) -> MutableMapping[str, Movement]:
    """The provider's records by their keys. A second record with the same key means that money moved twice."""
    for movement in provider:
        if movement.key in records:
            problem = f"the provider has {movement.kind} {movement.key} more than once"
            offenders.append(Offender(movement.order_id, problem))
        records[movement.key] = movement
    return records


def expected(order: Order) -> int:
    """Minor units of this order that we should hold now."""
    kept = order.status in (Status.SUCCESS, Status.PAID)
    owed = order.result(EffectKind.CHARGE) is Result.DONE and order.owes_refund
    due = order.status is Status.REFUND_PENDING or _owed_again(order)
    held = order.total - sum_gone(order.refunds or (), order.disputes or ()) if kept or (owed and due) else 0
    return held - sum_beyond(order.disputes or ())


def _owed_again(order: Order) -> bool:
    """Whether the refund of an order that ended has failed later."""
    refund = order.effects.get(EffectKind.REFUND)
    return order.ended and refund is not None and refund.result is Result.UNKNOWN and refund.attempt > 1


#: The sum that an entry belongs to, and its sign there.
_SUMS = {
    EntryKind.CHARGE: (1, 1),
    EntryKind.REFUND: (2, 1),
    EntryKind.REFUND_FAILED: (2, -1),
    EntryKind.DISPUTE: (3, 1),
    EntryKind.DISPUTE_WON: (3, -1),
}


def _add(numbers: list[int], order: Order, entries: tuple[LedgerEntry, ...]) -> None:
    numbers[0] += 1
    for entry in entries:
        place, sign = _SUMS[entry.kind]
        numbers[place] += sign * entry.amount
    numbers[4] += expected(order)


def _own_offences(order: Order, entries: tuple[LedgerEntry, ...]) -> Iterator[Offender]:
    held = balance(entries)
    if held != expected(order):
        due, kept = money(expected(order), order.currency), money(held, order.currency)
        yield Offender(order.id, f"{order.status} should hold {due}, the ledger says {kept}")


#: The kinds that a provider's records have, and the one that undoes each.
_UNDONE_BY = {
    EntryKind.CHARGE: None,
    EntryKind.REFUND: EntryKind.REFUND_FAILED,
    EntryKind.DISPUTE: EntryKind.DISPUTE_WON,
}


def _at_the_provider(entries: tuple[LedgerEntry, ...]) -> Iterator[LedgerEntry]:
    """The entries that a provider's records have: charges, refunds that did not come back, disputes not won."""
    known = {(entry.kind, entry.key) for entry in entries}
    for entry in entries:
        if entry.kind in _UNDONE_BY and (_UNDONE_BY[entry.kind], entry.key) not in known:
            yield entry


def _provider_offences(
    order: Order, entries: tuple[LedgerEntry, ...], records: MutableMapping[str, Movement], since: int
) -> Iterator[Offender]:
    """Compares the provider's records of this order, and removes them from ``records``.

    A call under way has no entry here yet, so its record is not an offence.
    """
    for entry in _at_the_provider(entries):
        theirs = records.pop(entry.key, None)
        if entry.at < since:
            continue
        if theirs is None:
            yield Offender(order.id, f"we have {entry.kind} {entry.key}, the provider does not")
        elif (theirs.amount, theirs.currency) != (entry.amount, entry.currency):
            ours, other = money(entry.amount, entry.currency), money(theirs.amount, theirs.currency)
            yield Offender(order.id, f"{entry.key}: {ours} here, {other} at the provider")
    for kind in (EffectKind.CHARGE, EffectKind.REFUND):
        if order.result(kind) is Result.UNKNOWN:
            records.pop(order.key(kind), None)
    for refund in order.refunds or ():
        records.pop(key_of(order, refund.id), None)  # one that is under way
