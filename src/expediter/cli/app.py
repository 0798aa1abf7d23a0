"""The ``expediter`` command and what stands under it. Only signatures are read here; a command imports when it runs."""

import typer

from expediter.cli.serve import serve

app = typer.Typer(
    name="expediter",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Takes orders over the network and walks each through its workflow.",
)
app.command()(serve)


@app.callback()
def expediter() -> None:
    """Takes orders over the network and walks each through its workflow."""
