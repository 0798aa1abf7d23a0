"""The payment provider's own records, to hold our books against."""

import asyncio
from collections.abc import Callable, Iterator
from typing import TypeAlias
from urllib.parse import quote

import httpx
import msgspec

from expediter.app.operator.reconcile import Movement, Report, reconcile
from expediter.cli.terms import stop
from expediter.domain.ledger import EntryKind, LedgerEntry
from expediter.domain.order import Order

#: Seconds for one answer; questions at the same time.
TIMEOUT = 60.0
AT_ONCE = 16

OrdersWithEntries: TypeAlias = Callable[[], Iterator[tuple[Order, tuple[LedgerEntry, ...]]]]


class _Records(msgspec.Struct, frozen=True):
    items: tuple[Movement, ...]


class _Charge(msgspec.Struct, frozen=True):
    status: str


def against_provider(orders: OrdersWithEntries, url: str) -> Report:
    """Our books against the provider behind ``url``.

    While orders flow, a payment may fall between the two readings: what does not agree is looked at a second time, and
    only what stays counts.
    """
    first = reconcile(orders(), records(orders, url))
    if first.clean:
        return first
    again = reconcile(orders(), records(orders, url))
    stayed = tuple(offender for offender in again.offenders if offender in first.offenders)
    return msgspec.structs.replace(again, offenders=stayed)


def records(orders: OrdersWithEntries, url: str) -> list[Movement]:
    """Every movement at ``GET {url}/records``; from a provider without it, what it says about each of our charges."""
    try:
        response = httpx.get(f"{url.rstrip('/')}/records", timeout=TIMEOUT, trust_env=False)
        if response.status_code == 404:
            return asyncio.run(_asked_one_by_one(orders, url.rstrip("/")))
        response.raise_for_status()
        return list(msgspec.json.decode(response.content, type=_Records).items)
    except (httpx.HTTPError, httpx.InvalidURL, msgspec.DecodeError) as error:
        stop(f"The provider's records cannot be read from {url}: {error}")


async def _asked_one_by_one(orders: OrdersWithEntries, url: str) -> list[Movement]:
    """Only charges can be asked about, by key and without their amounts; refunds are taken as we have them."""
    entries = [entry for _, listed in orders() for entry in listed]
    gate = asyncio.Semaphore(AT_ONCE)
    async with httpx.AsyncClient(timeout=TIMEOUT, trust_env=False) as client:

        async def known(entry: LedgerEntry) -> bool:
            if entry.kind is not EntryKind.CHARGE:
                return True
            async with gate:
                response = await client.get(f"{url}/charges/{quote(entry.key, safe='')}")
            if response.status_code == 404:
                return False
            response.raise_for_status()
            return msgspec.json.decode(response.content, type=_Charge).status == "ok"

        found = await asyncio.gather(*map(known, entries))
    return [
        Movement(entry.key, entry.kind.value, entry.order_id, entry.amount, entry.currency)
        for entry, seen in zip(entries, found, strict=True)
        if seen
    ]
