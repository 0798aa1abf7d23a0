"""``expediter orders``: list, show and follow orders; cancel them through the server."""

from typing import Annotated
from urllib.parse import quote

import typer

from expediter.cli.terms import AsJson, Data, OrderId, Token, Url, stop

app = typer.Typer(no_args_is_help=True, help="List, show, follow and cancel orders.")


@app.command("list")
def list_orders(
    *,
    user: Annotated[str | None, typer.Option(help="Only this user's")] = None,
    status: Annotated[str | None, typer.Option(help="Only in this status, such as REFUND_PENDING")] = None,
    restaurant: Annotated[str | None, typer.Option(help="Only this restaurant's")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most")] = 50,
    cursor: Annotated[str | None, typer.Option(help="Go on behind this order's id")] = None,
    data: Data = None,
    url: Url = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """List orders, newest first."""
    from expediter.app.ports import Query
    from expediter.cli import show
    from expediter.cli.reading import reading
    from expediter.domain.order import Status

    if status is not None and status not in Status.__members__:
        stop(f"There is no status {status}. Give one of {', '.join(Status)}.")
    query = Query(user, Status[status] if status else None, restaurant, limit, cursor)
    with reading(url, token, data) as home:
        page = home.orders(query)
    show.orders(page, as_json=as_json)


@app.command("show")
def show_order(
    order_id: OrderId, data: Data = None, url: Url = None, token: Token = None, as_json: AsJson = False
) -> None:
    """Show an order, its money, its mails and every event of its workflow."""
    from expediter.cli import show
    from expediter.cli.reading import reading

    with reading(url, token, data) as home:
        found = home.whole(order_id)
    show.order(found, as_json=as_json)


@app.command("follow")
def follow_order(
    order_id: OrderId, data: Data = None, url: Url = None, token: Token = None, as_json: AsJson = False
) -> None:
    """Print each event of an order's workflow as it happens, until the order has ended.

    Exit 0 when it is SUCCESS, 1 when it ended otherwise. With --json each event is a line of JSON.
    """
    from expediter.cli.following import follow
    from expediter.cli.reading import reading

    with reading(url, token, data) as home:
        succeeded = follow(home, order_id, as_json=as_json)
    raise typer.Exit(0 if succeeded else 1)


@app.command("cancel")
def cancel_order(
    order_id: OrderId, data: Data = None, url: Url = None, token: Token = None, as_json: AsJson = False
) -> None:
    """Cancel an order; money that was taken is given back when the hold ends."""
    from expediter.api.render import OrderView
    from expediter.cli import show
    from expediter.cli.api import server

    at = server(url, token, data)
    cancelled = at.ask("POST", f"/orders/{quote(order_id, safe='')}/cancel", OrderView)
    if as_json:
        show.as_json(cancelled)
    else:
        print(f"{cancelled.id} is {cancelled.order_status}.")
