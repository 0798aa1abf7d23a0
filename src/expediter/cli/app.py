"""The ``expediter`` command and its subcommands. Only signatures are read here; a command imports what it needs when it
runs."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer._click.exceptions import UsageError  # what the parser of Typer raises; it has no public name
from typer.core import TyperGroup

from expediter import __version__
from expediter.cli.commands import dlq, keys, mails, orders
from expediter.cli.commands.audit import audit
from expediter.cli.commands.backup import backup
from expediter.cli.commands.bench import bench
from expediter.cli.commands.cost import cost
from expediter.cli.commands.erase import erase
from expediter.cli.commands.export import export, import_
from expediter.cli.commands.reconcile import reconcile
from expediter.cli.commands.serve import serve
from expediter.cli.commands.settings import init, settings
from expediter.cli.commands.submit import submit
from expediter.cli.setting_file import SettingsUnreadable, gathered
from expediter.cli.terms import stop

if TYPE_CHECKING:
    from typer._click import Context  # what TyperGroup's own method takes


class _Workflow(TyperGroup):
    """``expediter workflow``: its commands import the states language, so they are loaded only when they are needed."""

    def parse_args(self, ctx: "Context", args: list[str]) -> list[str]:
        from expediter.cli.commands import workflow

        self.commands = typer.main.get_group(workflow.app).commands
        return super().parse_args(ctx, args)

    def invoke(self, ctx: "Context") -> Any:  # noqa: ANN401 - as the class it overrides has it
        """Where JSON is asked for, a wrong option or a missing argument is told as JSON too."""
        as_json = "--json" in ctx.args
        try:
            return super().invoke(ctx)
        except UsageError as error:
            if not as_json:
                raise
            typer.echo(json.dumps({"error": error.format_message()}))
            raise typer.Exit(2) from error


app = typer.Typer(
    name="expediter",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"expediter {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    *,
    settings: Annotated[
        Path | None, typer.Option("--settings", help="File of settings (expediter.env here, where there is one)")
    ] = None,
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Takes orders over the network and walks each through its workflow."""
    try:
        context.obj = gathered(os.environ, settings)
    except SettingsUnreadable as error:
        stop(str(error))
    for name in [name for name in os.environ if name.startswith("EXPEDITER_")]:
        del os.environ[name]
    os.environ.update({name: given.value for name, given in context.obj.items()})


app.command()(serve)
app.command()(init)
app.command("settings")(settings)
app.command()(submit)
app.add_typer(orders.app, name="orders")
app.add_typer(dlq.app, name="dlq")
app.add_typer(keys.app, name="keys")
app.add_typer(mails.app, name="mails")
app.command()(reconcile)
app.command()(audit)
app.command()(backup)
app.command()(erase)
app.command()(cost)
app.command()(bench)
app.command()(export)
app.command("import")(import_)
app.add_typer(
    typer.Typer(no_args_is_help=True, cls=_Workflow),
    name="workflow",
    help="Check, draw, run and test workflow definitions.",
)
