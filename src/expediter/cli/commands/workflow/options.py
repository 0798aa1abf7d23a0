"""What the commands of ``expediter workflow`` have in common: options, and how they end when they cannot go on."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from expediter.asl.texts import decode_unique
from expediter.cli.api import NotDone
from expediter.cli.commands.workflow.reading.sources import Source, machine
from expediter.cli.commands.workflow.reading.templates import plain_values
from expediter.cli.commands.workflow.reading.values import Unreadable, as_json_has_it, parsed, text_of
from expediter.cli.commands.workflow.reports import told

File = Annotated[Path, typer.Argument(help="A definition as JSON or YAML, or a template with one")]
Files = Annotated[list[Path], typer.Argument(help="Definitions as JSON or YAML, or templates with one")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON")]
Name = Annotated[str | None, typer.Option("--name", help="Which state machine of a template")]
Substitute = Annotated[
    list[str] | None, typer.Option("--substitute", metavar="NAME=VALUE", help="What ${NAME} stands for")
]
Substitutions = Annotated[Path | None, typer.Option("--substitutions", help="A JSON or YAML file of NAME: VALUE")]


@contextmanager
def ends(*, as_json: bool) -> Iterator[None]:
    """What cannot be read or done ends the command with one sentence, as JSON where JSON is asked for.

    The exit code is 2, and 1 where a server refused.
    """
    try:
        yield
    except (Unreadable, NotDone) as error:
        if as_json:
            typer.echo(json.dumps({"error": str(error)}))
        else:
            typer.echo(f"expediter: {error}" if isinstance(error, NotDone) else told(error), err=True)
        raise typer.Exit(error.code if isinstance(error, NotDone) else 2) from error


def read(path: Path) -> Any:  # noqa: ANN401 - any JSON
    """The JSON or YAML of a file. Raises Unreadable."""
    try:
        return parsed(text_of(path))
    except Unreadable as error:
        raise _of_file(path, error) from error


def _of_file(path: Path, error: Unreadable) -> Unreadable:
    """The same, with the name of the file before it and the place in that file."""
    reason = str(error) if str(path) in str(error) else f"{path}: {error}"
    place = error.place
    return Unreadable(reason, place if place is None or place.file else place._replace(file=path))


def write(path: Path, text: str) -> None:
    """Write a file. Raises Unreadable."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Unreadable(f"{path} cannot be written: {error.strerror}") from error


def argument(option: str, text: str) -> Any:  # noqa: ANN401 - any JSON
    """The value of an option: JSON, or ``@FILE``. Raises Unreadable."""
    if text.startswith("@"):
        return read(Path(text[1:]))
    try:
        return as_json_has_it(decode_unique(text))
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"{option} is not JSON: {error}") from error


def chosen(path: Path, name: str | None = None, values: Mapping[str, str] | None = None) -> Source:
    """The state machine of a file, with the placeholders filled that have values. Raises Unreadable."""
    try:
        return machine(path, name, values)
    except Unreadable as error:
        raise _of_file(path, error) from error


def values_of(pairs: list[str] | None, file: Path | None) -> dict[str, str]:
    """The values of placeholders, as --substitute and --substitutions give them. Raises Unreadable."""
    values: dict[str, str] = {}
    if file is not None:
        given = read(file)
        if not isinstance(given, dict) or any(isinstance(value, dict | list | None) for value in given.values()):
            raise Unreadable(f"{file} must hold an object of texts, numbers or booleans")
        values.update(plain_values(given))
    for pair in pairs or []:
        name, equals, value = pair.partition("=")
        if not equals:
            raise Unreadable(f"--substitute {pair}: give NAME=VALUE")
        values[name] = value
    return values
