"""``expediter orders``: list and show what the file holds, cancel through the server."""

from typing import Annotated

import typer

from expediter.cli.terms import DATA, AsJson, Data, OrderId, Url, read_only, stop

app = typer.Typer(no_args_is_help=True, help="List, show and cancel orders.")


@app.command("list")
def list_orders(
    *,
    user: Annotated[str | None, typer.Option(help="Only this user's")] = None,
    status: Annotated[str | None, typer.Option(help="Only in this status, such as REFUND_PENDING")] = None,
    restaurant: Annotated[str | None, typer.Option(help="Only this restaurant's")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most")] = 50,
    cursor: Annotated[str | None, typer.Option(help="Go on behind this order's id")] = None,
    data: Data = DATA,
    as_json: AsJson = False,
) -> None:
    """List orders, newest first."""
    from expediter.app import orders
    from expediter.app.ports import Caller, Query
    from expediter.cli import show
    from expediter.domain.order import Status

    if status is not None and status not in Status.__members__:
        stop(f"There is no status {status}. Give one of {', '.join(Status)}.")
    query = Query(user, Status[status] if status else None, restaurant, limit, cursor)
    with read_only(data) as (work, _):
        page = orders.page(work, Caller(), query)
    show.orders(page, as_json=as_json)


@app.command("show")
def show_order(order_id: OrderId, data: Data = DATA, as_json: AsJson = False) -> None:
    """Show an order, its money, its mails and every event of its workflow."""
    from expediter.app import orders
    from expediter.app.operator import operations
    from expediter.app.ports import Caller
    from expediter.cli import show

    with read_only(data) as (work, mailbox):
        order = orders.find(work, Caller(), order_id)
        entries = work.orders.entries(order_id)
        timeline = operations.timeline(work, Caller(), order_id)
        mails = mailbox.of(order_id)
    show.order(order, entries, mails, timeline, as_json=as_json)


@app.command("cancel")
def cancel_order(order_id: OrderId, url: Url = None, as_json: AsJson = False) -> None:
    """Cancel an order; money that was taken is given back when the hold ends."""
    from expediter.cli import show
    from expediter.cli.api import ask

    cancelled = ask("POST", f"/orders/{order_id}/cancel", url)
    if as_json:
        show.as_json(cancelled)
    else:
        print(f"{cancelled['id']} is {cancelled['order_status']}.")
