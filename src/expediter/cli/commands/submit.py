"""``expediter submit``: the orders of a file, through the REST API."""

from pathlib import Path
from typing import Annotated

import typer

from expediter.cli.terms import AsJson, Data, Token, Url

File = Annotated[Path, typer.Argument(metavar="FILE.jsonl", exists=True, dir_okay=False, help="One order per line")]


def _named(key_field: str | None) -> str | None:
    """Raises BadParameter for an empty name: a script whose variable is unset must not fall back to other keys."""
    if key_field is not None and not key_field.strip():
        raise typer.BadParameter("Name a field, or leave the option out.")
    return key_field


def submit(
    file: File,
    *,
    data: Data = None,
    url: Url = None,
    token: Token = None,
    concurrency: Annotated[int, typer.Option(min=1, max=256, help="Orders under way at the same time")] = 16,
    key_field: Annotated[
        str | None,
        typer.Option(metavar="NAME", callback=_named, help="The field of each line that is its id [default: id]"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Submit the orders of a file; safe to run again, also after it was interrupted.

    Each line is an order as POST /orders takes it. Its idempotency key is its own id (or
    idempotency_key, or the field that --key-field names). Without one it follows from the line's
    number and text: the same file run again orders nothing twice, but a line that was moved or
    altered in between is ordered again. Exit 1 when a line was refused.
    """
    from expediter.cli.api import server
    from expediter.cli.submitting.sending import run

    run(file, server(url, token, data), concurrency, key_field, as_json=as_json)
