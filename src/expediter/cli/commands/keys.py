"""``expediter keys``: keys for programs, through the server."""

import re
from datetime import UTC, datetime, timedelta
from types import NoneType
from typing import Annotated, Any

import typer

from expediter.cli.terms import AsJson, Data, Token, Url, stop

app = typer.Typer(no_args_is_help=True, help="Make, list and revoke keys for programs.")


@app.command("add")
def add_key(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whose key it is; keys of one name are one program's")],
    scope: Annotated[str, typer.Option(metavar="SCOPE,…", help="What it may do, such as orders:write,orders:read")],
    expires: Annotated[str | None, typer.Option(metavar="WHEN", help="Its end: 90d, or 2027-12-31; else never")] = None,
    *,
    data: Data = None,
    url: Url = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Make a key. It is shown this once: the server keeps no way back to it.

    A program sends it as its bearer token.
    """
    from expediter.app.access import Scope
    from expediter.cli import show
    from expediter.cli.api import server

    scopes = [one.strip() for one in scope.split(",") if one.strip()]
    if not scopes or set(scopes) - set(Scope):
        stop(f"--scope={scope} names a scope that there is not. There are: {', '.join(Scope)}.")
    ends_at = _instant(expires) if expires else None
    asked = {"name": name, "scopes": scopes, "expires_at": ends_at}
    made = server(url, token, data).ask("POST", "/keys", dict[str, Any], asked)
    if as_json:
        show.as_json(made)
    else:
        print(made["secret"])
        typer.echo(f"Keep it: it is shown this once. It begins with {made['key']['id']}.", err=True)


@app.command("list")
def list_keys(data: Data = None, url: Url = None, token: Token = None, as_json: AsJson = False) -> None:
    """List keys, the oldest first: what each may do, when it was used last, and whether it is over."""
    from expediter.cli import show
    from expediter.cli.api import server

    found = server(url, token, data).ask("GET", "/keys", dict[str, Any])
    if as_json:
        show.as_json(found)
    else:
        show.keys(found["items"])


@app.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="What the key begins with, such as exp_1a2b3c4d")],
    data: Data = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """Take a key back for good."""
    from expediter.cli.api import server

    if not re.fullmatch(r"exp_[0-9a-f]+", key_id):
        stop(f"{key_id!r} is no key's id. Give what the key begins with, such as exp_1a2b3c4d.")
    server(url, token, data).ask("DELETE", f"/keys/{key_id}", NoneType)
    print(f"{key_id} is revoked.")


def _instant(text: str) -> str:
    """The end of a key: days from now, or a day in UTC. Anything else ends the command."""
    if days := re.fullmatch(r"(\d{1,5})d", text):
        return (datetime.now(UTC) + timedelta(days=int(days[1]))).isoformat()
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).isoformat()
    except ValueError:
        stop(f"{text!r} is no end of a key. Give days such as 90d, or a day such as 2027-12-31.")
