"""Options and exit codes of all commands: 0 done, 1 a bad result, 2 could not be carried out."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from expediter.embedded.operator.read_only import ReadOnlyView

Data = Annotated[
    Path | None, typer.Option(envvar="EXPEDITER_DATA", help="The server's data folder; to read it, it need not run")
]
Url = Annotated[str | None, typer.Option(help="The server, also on another machine; by default the one that runs")]
Token = Annotated[str | None, typer.Option(envvar="EXPEDITER_TOKEN", help="What to show the server")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON")]
OrderId = Annotated[str, typer.Argument(metavar="ID", help="The order's id")]


def stop(message: str, code: int = 2) -> NoReturn:
    """Ends the command with one message."""
    typer.echo(f"expediter: {message}", err=True)
    raise typer.Exit(code)


def counted(number: int, thing: str) -> str:
    """``1 order``, ``2 orders``."""
    return f"{number} {thing}{'' if number == 1 else 's'}"


@contextmanager
def read_only(data: Path) -> "Iterator[ReadOnlyView]":
    """The content of a data folder, read-only. An error ends the command with its message."""
    from expediter.domain.errors import OrderError
    from expediter.embedded.operator.read_only import open_read_only
    from expediter.embedded.settings import SettingRefused, from_environment
    from expediter.embedded.sqlite.database import DataRefused

    try:
        settings = from_environment(os.environ)
        with open_read_only(data, settings.orders) as opened:
            yield opened
    except (DataRefused, SettingRefused) as error:
        stop(str(error))
    except OrderError as error:
        stop(f"{error.name}: {error}", 1)


@contextmanager
def on_aws(module: str) -> Iterator[Any]:
    """A module of the AWS home, by name. It needs boto3, which the server does not.

    An error of AWS ends the command with its message.
    """
    from expediter.domain.errors import OrderError

    if find_spec("boto3") is None:
        stop("this needs boto3. Install it: make setup-aws")
    unknown = import_module("expediter.aws.deployed").StackUnknown
    try:
        yield import_module(f"expediter.aws.{module}")
    except unknown as error:
        stop(str(error))
    except OrderError as error:
        stop(f"{error.name}: {error}", 1)
