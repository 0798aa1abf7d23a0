"""``expediter mails``: the mails about orders, and sending them once more."""

from typing import Annotated
from urllib.parse import quote

import typer

from expediter.cli.terms import AsJson, Data, Token, Url, counted, on_aws, stop

app = typer.Typer(no_args_is_help=True, help="List mails about orders, show them, and send them once more.")

Order = Annotated[str, typer.Argument(metavar="ORDER", help="The order's id")]


@app.command("list")
def list_mails(
    *,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most")] = 50,
    cursor: Annotated[str | None, typer.Option(help="Go on behind the page before")] = None,
    data: Data = None,
    url: Url = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """List mails, those about the newest orders first, and whether each was sent."""
    from expediter.cli import show
    from expediter.cli.reading import reading

    with reading(url, token, data) as home:
        found = home.mails(limit, cursor)
    show.mails(found, as_json=as_json)


@app.command("show")
def show_mails(
    order_id: Order, data: Data = None, url: Url = None, token: Token = None, as_json: AsJson = False
) -> None:
    """Show the mails about an order, with their text."""
    from expediter.cli import show
    from expediter.cli.reading import reading

    with reading(url, token, data) as home:
        found = home.mails_of(order_id)
    show.mails_of(found, as_json=as_json)


@app.command("resend")
def resend_mails(
    order_id: Order,
    *,
    to: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Only to this address, sent mails too")] = None,
    stack: Annotated[str | None, typer.Option(metavar="NAME", help="Of this stack on AWS, not of a server")] = None,
    data: Data = None,
    url: Url = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Send an order's unsent mails, refused ones too. A stack sends them in its next sweep, within 15 minutes.

    A mail that is sent twice keeps its Message-ID.
    """
    from expediter.cli import show
    from expediter.cli.api import server

    if stack is not None:
        if to is not None:
            stop("--to is for a server; a stack sends every unsent mail of the order.")
        with on_aws("deployed") as deployed:
            number = int(deployed.resend(stack, order_id))
    else:
        path = f"/orders/{quote(order_id, safe='')}/mails/resend"
        number = server(url, token, data).ask("POST", path, dict[str, int], {"recipient": to})["resent"]
    if as_json:
        show.as_json({"resent": number})
    else:
        print(
            f"{counted(number, 'mail')} of the order {order_id} sent {'by the next sweep' if stack else 'once more'}."
        )
