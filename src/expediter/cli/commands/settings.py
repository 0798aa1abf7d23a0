"""``expediter settings`` and ``expediter init``: what is set and where it is from, and a file to set it in."""

import json
import os
import secrets
from pathlib import Path
from typing import Annotated

import typer

from expediter.cli.setting_file import USUAL, Given
from expediter.cli.terms import AsJson, stop

_HEAD = """\
# Settings of Expediter. A line that begins with # does nothing: what it shows is the default.
# The environment wins over this file, and options of a command over both. `expediter settings` shows what holds.
# Every setting has a variant that names a file with the value: EXPEDITER_TOKEN_FILE=/run/secrets/token
"""


def settings(context: typer.Context, *, as_json: AsJson = False) -> None:
    """Show every setting, its value and its source. A secret shows only that it is set."""
    from expediter.embedded.settings import SettingRefused, defaults, from_environment, shown

    known = defaults()
    found: dict[str, Given] = {name: Given(default, "default") for name, default in known.items()} | context.obj
    rows = [
        (name, shown(name, value) if name in known or name.startswith("OTEL_") else "(no such setting)", source)
        for name, (value, source) in sorted(found.items())
    ]
    if as_json:
        typer.echo(json.dumps([{"name": name, "value": value, "source": source} for name, value, source in rows]))
    else:
        for name, value, source in rows:
            typer.echo(f"{name:31} {value or '-':27} {source}")
    try:
        from_environment(os.environ)
    except SettingRefused as error:
        stop(str(error))


def init(file: Annotated[Path, typer.Argument(help="The file to write")] = USUAL) -> None:
    """Write a file of settings with every setting, its default and what it means, for you to edit."""
    try:
        with os.fdopen(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600), "w") as written:
            written.write(commented())
    except FileExistsError:
        stop(f"{file} is there already. Edit it, or write another: expediter init OTHER.env")
    except OSError as error:
        stop(f"{file} cannot be written: {os.strerror(error.errno or 0)}.")
    typer.echo(f"Written: {file}. Edit it; expediter serve reads {USUAL}, or what --settings names.")


def commented() -> str:
    """Every setting as a comment, with its meaning and its default. The token is a new random one."""
    from expediter.cli.setting_meanings import MEANINGS
    from expediter.embedded.settings import defaults

    blocks = [_HEAD]
    for name, default in defaults().items():
        meaning = MEANINGS[name.removeprefix("EXPEDITER_")].replace("`", "")
        value = secrets.token_urlsafe(32) if name == "EXPEDITER_TOKEN" else default
        blocks.append(f"# {meaning}\n#{name}={value}\n")
    return "\n".join(blocks)
