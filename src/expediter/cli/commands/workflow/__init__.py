"""``expediter workflow``: check, draw, run and test workflow definitions, without a server."""

import typer

from expediter.cli.commands.workflow import checks, runs, states, watching

app = typer.Typer(no_args_is_help=True, help="Check, draw, run and test workflow definitions.")
app.command()(checks.validate)
app.command()(checks.graph)
app.command()(runs.run)
app.command()(states.state)
app.command("test")(runs.run_cases)
app.command()(checks.fmt)
app.command()(watching.watch)
