"""``expediter audit``: what operators did, read from the file."""

from typing import Annotated

import typer

from expediter.cli.terms import DATA, AsJson, Data, stop


def audit(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most")] = 50,
    cursor: Annotated[int | None, typer.Option(min=1, help="Go on behind the entry of this number")] = None,
    data: Data = DATA,
    as_json: AsJson = False,
) -> None:
    """List what operators did, newest first: who, what, when, through which interface and from where.

    Acts over REST, GraphQL, this command line and the console stand in it, and tokens that were
    wrong. An erasure keeps an act and takes away what tells of the customer.
    """
    from expediter.cli import show
    from expediter.embedded.operator.read_only import open_audit
    from expediter.embedded.sqlite.database import DataRefused

    try:
        with open_audit(data) as found:
            entries = found.page(limit, cursor)
    except DataRefused as error:
        stop(str(error))
    show.audit(entries, as_json=as_json)
