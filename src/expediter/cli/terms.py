"""How a command ends: 0 is done, 1 is a bad result, 2 is that it could not be carried out."""

from typing import NoReturn

import typer


def stop(message: str, code: int = 2) -> NoReturn:
    """Ends the command with one message for whoever typed it."""
    typer.echo(f"expediter: {message}", err=True)
    raise typer.Exit(code)
