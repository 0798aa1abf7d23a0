"""``expediter workflow versions``, ``publish``, ``route`` and ``redrive``: what a running server is asked to do."""

from typing import Annotated, Any
from urllib.parse import quote

import typer

from expediter.cli.api import server
from expediter.cli.commands.workflow.options import File, Name, Substitute, Substitutions, chosen, ends, values_of
from expediter.cli.commands.workflow.reading.values import Unreadable
from expediter.cli.terms import AsJson, Data, Token, Url

Shares = Annotated[
    list[str] | None,
    typer.Argument(metavar="VERSION[=PERCENT]...", help="One version, or two with their percents of new orders"),
]

#: The form of an answer that is shown as it comes.
_JSON = dict[str, Any]


def versions(data: Data = None, url: Url = None, token: Token = None, as_json: AsJson = False) -> None:
    """List the versions of the workflow: the orders under way on each, and the share of new orders."""
    with ends(as_json=as_json):
        listed = server(url, token, data).fetch("GET", "/workflow/versions", _JSON)
    _show(listed, as_json=as_json)


def publish(
    file: File,
    *,
    name: Name = None,
    substitute: Substitute = None,
    substitutions: Substitutions = None,
    data: Data = None,
    url: Url = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Store a definition in the server as a version, on which no order starts until it is routed there."""
    from expediter.cli import show

    with ends(as_json=as_json):
        definition = chosen(file, name, values_of(substitute, substitutions)).definition
        made = server(url, token, data).fetch("POST", "/workflow/versions", _JSON, {"definition": definition})
    if as_json:
        show.as_json(made)
    else:
        print(f"Version {made['version']}. New orders start on it with: expediter workflow route {made['version']}")


def route(
    shares: Shares = None,
    *,
    back: Annotated[bool, typer.Option("--back", help="Take the last routing back")] = False,
    data: Data = None,
    url: Url = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Have new orders start on one version, or on two by weight. Orders under way keep their version.

    'route 1=90 2=10' sends one new order of ten to version 2, 'route 2' all of them, and
    'route --back' takes the last routing back. A start with another workflow file ends it too.
    """
    with ends(as_json=as_json):
        if back == bool(shares):
            raise Unreadable("Name one version or two, or give --back.")
        at = server(url, token, data)
        if back:
            listed = at.fetch("DELETE", "/workflow/routing", _JSON)
        else:
            listed = at.fetch("PUT", "/workflow/routing", _JSON, {"percents": _percents(shares or [])})
    _show(listed, as_json=as_json)


def redrive(
    order_ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Orders whose workflow failed")],
    data: Data = None,
    url: Url = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Set failed workflows going again at the state that failed, with the input it had there."""
    from expediter.cli import show

    with ends(as_json=as_json):
        at = server(url, token, data)
        done = {it: at.fetch("POST", f"/orders/{quote(it, safe='')}/redrive", _JSON)["state"] for it in order_ids}
    if as_json:
        show.as_json(done)
    else:
        for order_id, state in done.items():
            print(f"{order_id} goes on at {state}.")


def _percents(shares: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for share in shares:
        version, equals, percent = share.partition("=")
        text = percent if equals else "100"
        if not (version.isascii() and version.isdigit() and text.isascii() and text.isdigit()) or version in found:
            raise Unreadable(f"{share}: give VERSION, or VERSION=PERCENT for each of two versions.")
        found[version] = int(text)
    return found


def _show(listed: dict[str, Any], *, as_json: bool) -> None:
    from expediter.cli import show

    if as_json:
        show.as_json(listed)
        return
    rows = [
        (str(one["version"]), one["hash"][:12], one["first_used"], str(one["orders"]), f"{one['percent']} %")
        for one in listed["items"]
    ]
    columns = ("Version#", "Hash", "First used", "Orders under way#", "New orders#")
    show.out().print(show.table(*columns, rows=rows))
