"""Reads the payment provider's records, to compare orders and ledger with them."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from typing import TypeAlias

import httpx
import msgspec

from expediter.app.gateways import GatewayName, Remote, Simulated
from expediter.app.operator.reconcile import Movement, Report, reconcile
from expediter.app.tasks.calls import Done
from expediter.cli import stripe_records
from expediter.cli.on_disk import OnDisk
from expediter.cli.terms import stop
from expediter.domain.errors import PaymentUnavailable
from expediter.domain.ledger import EntryKind, LedgerEntry
from expediter.domain.order import Order
from expediter.embedded.engine.gateways import Gateways
from expediter.embedded.engine.http_client import Limits

#: Seconds for one answer; questions at the same time.
TIMEOUT = 60.0
AT_ONCE = 16

OrdersWithEntries: TypeAlias = Callable[[], Iterator[tuple[Order, tuple[LedgerEntry, ...]]]]


class Provider(msgspec.Struct, frozen=True):
    """The address of the provider's records, and the token to read them; None: it needs none.

    ``stripe``: the address is Stripe's API, and the token is the account's key. ``since``: what is older (ms since 1970
    UTC) is not compared.
    """

    url: str
    token: str | None
    stripe: bool = False
    since: int = 0

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


class _Records(msgspec.Struct, frozen=True):
    items: tuple[Movement, ...]


def against_provider(orders: OrdersWithEntries, provider: Provider) -> Report:
    """Compares orders and ledger with the ``provider``.

    A payment may happen between the two readings. So everything that differs is read a second time, and only what still
    differs counts.
    """
    first = _compared(orders, provider)
    if first.clean:
        return first
    again = _compared(orders, provider)
    stayed = tuple(offender for offender in again.offenders if offender in first.offenders)
    return msgspec.structs.replace(again, offenders=stayed)


def _compared(orders: OrdersWithEntries, provider: Provider) -> Report:
    with closing(OnDisk(Movement)) as kept:
        try:
            return reconcile(orders(), records(orders, provider), since=provider.since, kept=kept)
        except (httpx.HTTPError, httpx.InvalidURL, msgspec.DecodeError, PaymentUnavailable) as error:
            stop(f"The provider's records cannot be read from {provider.url}: {error}")


def records(orders: OrdersWithEntries, provider: Provider) -> Iterable[Movement]:
    """Every movement at ``GET {url}/records``; from a provider without it, what it says about each of our charges.
    From Stripe its lists of payments, refunds and disputes."""
    if provider.stripe:
        return stripe_records.movements(provider.url, provider.token or "", provider.since or None)
    response = httpx.get(f"{provider.url}/records", timeout=TIMEOUT, trust_env=False, headers=provider.headers)
    if response.status_code == 404:
        return asyncio.run(_asked_one_by_one(orders, provider))
    response.raise_for_status()
    return msgspec.json.decode(response.content, type=_Records).items


async def _asked_one_by_one(orders: OrdersWithEntries, provider: Provider) -> list[Movement]:
    """Only charges can be asked about, by key and without their amounts; refunds are taken as we have them."""
    entries = [entry for _, listed in orders() for entry in listed]
    secrets = {GatewayName.PAYMENTS: provider.token}
    gateways = Gateways(Remote(provider.url), Simulated(), secrets, Limits(answer=TIMEOUT, connections=AT_ONCE))

    async def known(entry: LedgerEntry) -> bool:
        return entry.kind is not EntryKind.CHARGE or isinstance(await gateways.find(entry.key), Done)

    try:
        found = await asyncio.gather(*map(known, entries))
    finally:
        await gateways.aclose()
    return [
        Movement(entry.key, entry.kind.value, entry.order_id, entry.amount, entry.currency)
        for entry, seen in zip(entries, found, strict=True)
        if seen
    ]
