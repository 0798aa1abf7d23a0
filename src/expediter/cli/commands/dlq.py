"""``expediter dlq``: messages that could not be processed."""

from types import NoneType
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import typer

from expediter.cli.terms import AsJson, Data, Token, Url, stop

if TYPE_CHECKING:
    from expediter.cli.api import Server

app = typer.Typer(no_args_is_help=True, help="Look at dead letters, send them back, or remove them.")

LetterId = Annotated[str, typer.Argument(metavar="ID", help="The message's id")]
OneOrAll = Annotated[str | None, typer.Argument(metavar="[ID]", help="One message; without it say --all")]
All = Annotated[bool, typer.Option("--all", help="Every message")]


@app.command("list")
def list_letters(
    *,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most")] = 50,
    cursor: Annotated[str | None, typer.Option(help="Go on behind this message's id")] = None,
    data: Data = None,
    url: Url = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """List dead letters, oldest first, with the reason of each."""
    from expediter.cli import show
    from expediter.cli.reading import reading

    with reading(url, token, data) as home:
        found = home.letters(limit, cursor)
    show.letters(found, as_json=as_json)


@app.command("show")
def show_letter(
    message_id: LetterId, data: Data = None, url: Url = None, token: Token = None, as_json: AsJson = False
) -> None:
    """Show a dead letter: its reason and what it says."""
    from expediter.cli import show
    from expediter.cli.reading import reading

    with reading(url, token, data) as home:
        found = home.letter(message_id)
    show.letter(found, as_json=as_json)


@app.command("redrive")
def redrive(
    message_id: OneOrAll = None,
    *,
    every: All = False,
    data: Data = None,
    url: Url = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Send dead letters back to the queue, with their receives forgotten."""
    from expediter.cli.api import server

    _move(server(url, token, data), "POST", "redriven", message_id, every=every, as_json=as_json)


@app.command("purge")
def purge(
    message_id: OneOrAll = None,
    *,
    every: All = False,
    data: Data = None,
    url: Url = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Remove dead letters for good."""
    from expediter.cli.api import server

    _move(server(url, token, data), "DELETE", "purged", message_id, every=every, as_json=as_json)


def _move(at: "Server", method: str, word: str, message_id: str | None, *, every: bool, as_json: bool) -> None:
    from expediter.cli import show

    if (message_id is None) != every:
        stop("Give the id of one message, or --all.")
    path = "/redrive" if method == "POST" else ""
    if message_id:
        at.ask(method, f"/dlq/{quote(message_id, safe='')}{path}", NoneType)
    done = 1 if message_id else _all(at, method, f"/dlq{path}", word)
    if as_json:
        show.as_json({word: done})
    else:
        print(f"{done} {word}.")


def _all(at: "Server", method: str, path: str, word: str) -> int:
    """One call moves a thousand at most. Those that come back meanwhile are left for the next command."""
    moved = at.ask(method, path, dict[str, int])
    total, goal = moved[word], moved[word] + moved["remaining"]
    while total < goal and moved[word]:
        moved = at.ask(method, path, dict[str, int])
        total += moved[word]
    return total
