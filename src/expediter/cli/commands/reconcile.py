"""``expediter reconcile``: whether the money adds up in the ledger, and against the provider's records."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from expediter.cli.finding import find
from expediter.cli.terms import AsJson, Data, Token, Url, on_aws, read_only, stop

if TYPE_CHECKING:
    from expediter.cli.provider import OrdersWithEntries, Provider


def reconcile(
    *,
    against: Annotated[str | None, typer.Option(metavar="URL", help="The payment provider, or stripe")] = None,
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Compare with stripe what is booked from this day on (UTC)"),
    ] = None,
    data: Data = None,
    url: Url = None,
    token: Token = None,
    stack: Annotated[str | None, typer.Option(metavar="NAME", help="Add up this stack on AWS, not DATA")] = None,
    as_json: AsJson = False,
) -> None:
    """Add up the money: exit 0 when it is clean, 1 with the offenders when it is not.

    Per currency, charges minus refunds and disputes must be what is left of the orders that are paid, successful, or
    owed a refund.
    The provider is asked with the token in EXPEDITER_PAYMENTS_TOKEN, Stripe with EXPEDITER_STRIPE_KEY.
    """
    from expediter.app.operator.reconcile import reconcile as add_up
    from expediter.cli import show
    from expediter.cli.provider import against_provider
    from expediter.cli.reading import reading, reconciliation_of

    if since and against != "stripe":
        stop("--since goes with --against stripe")
    if against or stack:
        provider = _provider(against, since) if against else None
        with _orders(url, data, stack) as orders:
            found = reconciliation_of(against_provider(orders, provider) if provider else add_up(orders()))
    else:
        with reading(url, token, data) as home:
            found = home.reconciliation()
    show.reconciliation(found, against, as_json=as_json)
    raise typer.Exit(1 if found.offenders_count else 0)


def _provider(against: str, since: datetime | None) -> "Provider":
    """The provider, with the token that it wants. A setting that is not allowed ends the command."""
    from expediter.app.gateways import Stripe
    from expediter.cli.provider import Provider
    from expediter.embedded.settings import SettingRefused, from_environment

    try:
        settings = from_environment(os.environ)
    except SettingRefused as error:
        stop(str(error))
    if against != "stripe":
        # Stripe's key goes to Stripe and to nobody else.
        token = None if isinstance(settings.payments, Stripe) else settings.payments_token
        return Provider(against.rstrip("/"), token)
    if not isinstance(settings.payments, Stripe):
        stop("--against stripe needs EXPEDITER_PAYMENTS=stripe and EXPEDITER_STRIPE_KEY")
    begin = int(since.replace(tzinfo=UTC).timestamp() * 1000) if since else 0
    return Provider(settings.payments.url, settings.payments_token, stripe=True, since=begin)


@contextmanager
def _orders(url: str | None, data: Path | None, stack: str | None) -> "Iterator[OrdersWithEntries]":
    """The orders of a data folder, or of a stack, with their ledger entries."""
    if stack is None:
        found = find(url, data)
        if found.data is None:
            stop("--against reads every order from the data folder. Run it where the folder is, with --data.")
        with read_only(found.data) as (work, *_):
            yield work.orders.with_entries
    else:
        with on_aws("deployed") as deployed:
            yield deployed.orders_of(stack)
