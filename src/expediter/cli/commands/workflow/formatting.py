"""``expediter workflow fmt``: definitions are written in one form, and nothing in them is lost."""

import json
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer

from expediter.cli.commands.workflow.options import read
from expediter.cli.commands.workflow.reading.values import Unreadable, text_of
from expediter.cli.commands.workflow.reports import told


def fmt(
    files: Annotated[list[Path], typer.Argument(help="Definitions as JSON")],
    *,
    check: Annotated[bool, typer.Option("--check", help="Change nothing; exit 1 when a file would change")] = False,
) -> None:
    """Write definitions in one form: two blanks a level, the order of the fields kept.

    A file is left as it is when that form would lose something, such as comments, or is not its own, such as YAML.
    """
    changed, unread = 0, 0
    for file in files:
        try:
            changed += _format(file, check=check)
        except Unreadable as error:
            unread += 1
            typer.echo(told(error), err=True)
    code = 1 if unread or (check and changed) else 0
    raise typer.Exit(2 if unread == len(files) else code)


def _format(file: Path, *, check: bool) -> bool:
    """Whether the file is written anew, or would be. Raises Unreadable."""
    text, definition = text_of(file), read(file)
    if (reason := _left_as_it_is(text, definition)) is not None:
        typer.echo(f"{file}: left as it is ({reason})", err=True)
        return False
    written = json.dumps(definition, indent=2, ensure_ascii=False) + "\n"
    if json.loads(written, parse_float=Decimal) != json.loads(text, parse_float=Decimal):
        typer.echo(f"{file}: left as it is (it has a number that JSON's readers would round)", err=True)
        return False
    if written == text.replace("\r\n", "\n"):
        return False
    typer.echo(f"{file}: {'would be written anew' if check else 'written'}")
    if not check:
        _replace(file.resolve(), written)
    return True


def _left_as_it_is(text: str, definition: object) -> str | None:
    if not text.lstrip().startswith(("{", "//", "/*")):
        return "it is not JSON"
    try:
        json.loads(text)
    except ValueError:
        return "it has comments, or placeholders without quotes"
    if isinstance(definition, dict) and definition.keys() & {"States", "StartAt"}:
        return None
    return "it is a template, or no definition"


def _replace(file: Path, text: str) -> None:
    """Put a new file in the place of the old one, which stays whole until then. Raises Unreadable."""
    beside = file.with_name(f".{file.name}.new")
    try:
        beside.write_text(text, encoding="utf-8")
        shutil.copymode(file, beside)
        beside.replace(file)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise Unreadable(f"{file} cannot be written: {error.strerror}") from error
