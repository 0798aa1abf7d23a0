"""``expediter audit``: what operators did."""

from typing import Annotated

import typer

from expediter.cli.terms import AsJson, Data, Token, Url


def audit(
    *,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most")] = 50,
    cursor: Annotated[int | None, typer.Option(min=1, help="Go on behind the entry of this number")] = None,
    data: Data = None,
    url: Url = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """List what operators did, newest first: who, what, when, through which interface and from where.

    Acts over REST, GraphQL, this command line and the console stand in it, and tokens that were
    wrong. An erasure keeps an act and takes away what tells of the customer.
    """
    from expediter.cli import show
    from expediter.cli.reading import reading

    with reading(url, token, data) as home:
        found = home.audit(limit, cursor)
    show.audit(found, as_json=as_json)
