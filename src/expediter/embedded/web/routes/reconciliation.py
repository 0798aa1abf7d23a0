"""The operation of openapi.json that compares orders and ledger. On AWS, `expediter reconcile --stack` does it."""

import msgspec

from expediter.api.request import JSON, Request, Response
from expediter.app.operator.reconcile import Currency, Offender
from expediter.embedded.web.backend import Backend

#: Offenders in an answer at most. ``expediter reconcile --json`` lists all.
MOST_LISTED = 1_000


class CurrencyView(msgspec.Struct, frozen=True):
    """The sums of one currency in minor units: ``held`` = ``charges`` - ``refunds`` - ``disputed`` must equal
    ``expected``.
    """

    currency: str
    orders: int
    charges: int
    refunds: int
    disputed: int
    held: int
    expected: int


class Reconciliation(msgspec.Struct, frozen=True):
    """Whether the money adds up. ``offenders``: the first of them; ``offenders_count``: how many there are."""

    clean: bool
    currencies: list[CurrencyView]
    offenders: list[Offender]
    offenders_count: int


async def reconcile(home: Backend, _: Request) -> Response:
    """Raises TooBusy while another reconciliation runs, and StoreUnavailable."""
    report = await home.reconciler.report()
    listed = list(report.offenders[:MOST_LISTED])
    found = Reconciliation(report.clean, list(map(_shown, report.currencies)), listed, len(report.offenders))
    return Response(200, (("Content-Type", JSON),), msgspec.json.encode(found))


def _shown(sums: Currency) -> CurrencyView:
    return CurrencyView(sums.currency, sums.orders, sums.charges, sums.refunds, sums.disputed, sums.held, sums.expected)
