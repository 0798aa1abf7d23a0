"""``expediter erase``: forget a customer, through the server."""

from typing import Annotated

import typer

from expediter.cli.terms import AsJson, Data, Token, Url, counted


def erase(
    user: Annotated[str, typer.Option(help="The user_id of the customer's orders")],
    *,
    data: Data = None,
    url: Url = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Forget a customer: name, address, mails and histories go, orders and money stay nameless.

    Refused, with their ids, while orders of the customer are under way. Backups are yours to
    deal with.
    """
    from expediter.cli import show
    from expediter.cli.api import server

    at = server(url, token, data)
    orders = letters = 0
    remaining = 1
    while remaining:
        done = at.ask("POST", "/erasures", dict[str, int], {"user_id": user})
        orders, letters, remaining = orders + done["orders"], letters + done["dead_letters"], done["remaining"]
    if as_json:
        show.as_json({"orders": orders, "dead_letters": letters})
    else:
        print(f"Erased from {counted(orders, 'order')}; {counted(letters, 'dead letter')} removed.")
