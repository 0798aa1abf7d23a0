"""``expediter dlq``: messages that could not be taken in."""

from typing import Annotated

import typer

from expediter.cli.terms import DATA, AsJson, Data, Url, read_only, stop

app = typer.Typer(no_args_is_help=True, help="Look at dead letters, send them back, or remove them.")

LetterId = Annotated[str, typer.Argument(metavar="ID", help="The message's id")]
OneOrAll = Annotated[str | None, typer.Argument(metavar="[ID]", help="One message; without it say --all")]
All = Annotated[bool, typer.Option("--all", help="Every message")]


@app.command("list")
def list_letters(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most")] = 50,
    cursor: Annotated[str | None, typer.Option(help="Go on behind this message's id")] = None,
    data: Data = DATA,
    as_json: AsJson = False,
) -> None:
    """List dead letters, oldest first, with the reason of each."""
    from expediter.app.operator import operations
    from expediter.cli import show

    with read_only(data) as (work, _):
        found = operations.letters(work, limit, cursor)
    show.letters(found, as_json=as_json)


@app.command("show")
def show_letter(message_id: LetterId, data: Data = DATA, as_json: AsJson = False) -> None:
    """Show a dead letter: its reason and what it says."""
    from expediter.app.operator import operations
    from expediter.cli import show

    with read_only(data) as (work, _):
        found = operations.letter(work, message_id)
    show.letter(found, as_json=as_json)


@app.command("redrive")
def redrive(message_id: OneOrAll = None, every: All = False, url: Url = None, as_json: AsJson = False) -> None:
    """Send dead letters back to the queue, with their receives forgotten."""
    _move("POST", "redriven", message_id, every=every, url=url, as_json=as_json)


@app.command("purge")
def purge(message_id: OneOrAll = None, every: All = False, url: Url = None, as_json: AsJson = False) -> None:
    """Remove dead letters for good."""
    _move("DELETE", "purged", message_id, every=every, url=url, as_json=as_json)


def _move(method: str, word: str, message_id: str | None, *, every: bool, url: str | None, as_json: bool) -> None:
    from expediter.cli import show

    if (message_id is None) != every:
        stop("Give the id of one message, or --all.")
    path = "/redrive" if method == "POST" else ""
    done = _one(method, f"/dlq/{message_id}{path}", url) if message_id else _all(method, f"/dlq{path}", word, url)
    if as_json:
        show.as_json({word: done})
    else:
        print(f"{done} {word}.")


def _one(method: str, path: str, url: str | None) -> int:
    from expediter.cli.api import ask

    ask(method, path, url)
    return 1


def _all(method: str, path: str, word: str, url: str | None) -> int:
    """One call moves a thousand at most. Those that come back meanwhile are left for the next command."""
    from expediter.cli.api import ask

    moved = ask(method, path, url)
    total, goal = moved[word], moved[word] + moved["remaining"]
    while total < goal and moved[word]:
        moved = ask(method, path, url)
        total += moved[word]
    return int(total)
