"""``expediter reconcile``: whether the money adds up, in our books and against the provider's records."""

from typing import Annotated

import typer

from expediter.cli.terms import DATA, AsJson, Data, books


def reconcile(
    against: Annotated[str | None, typer.Option(metavar="URL", help="The payment provider, to compare with")] = None,
    data: Data = DATA,
    as_json: AsJson = False,
) -> None:
    """Add up the money: exit 0 when it is clean, 1 with the offenders when it is not.

    Per currency, charges minus refunds must be the totals of the orders that are paid, successful, or owed a refund.
    """
    from expediter.app.reconcile import reconcile as add_up
    from expediter.cli import show
    from expediter.cli.provider import against_provider

    with books(data) as (work, _):
        report = against_provider(work.orders.books, against) if against else add_up(work.orders.books())
    show.report(report, against, as_json=as_json)
    raise typer.Exit(0 if report.clean else 1)
