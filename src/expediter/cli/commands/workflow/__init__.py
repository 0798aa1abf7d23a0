"""``expediter workflow``: check, draw, run and test definitions without a server, and roll them out in one."""

import typer

from expediter.cli.commands.workflow import checks, diffs, formatting, runs, states, versions, watching

app = typer.Typer(no_args_is_help=True, help="Check, draw, run and test workflow definitions, and roll them out.")
app.command()(checks.validate)
app.command()(checks.graph)
app.command()(runs.run)
app.command()(states.state)
app.command("test")(runs.run_cases)
app.command()(formatting.fmt)
app.command()(watching.watch)
app.command("versions")(versions.versions)
app.command()(versions.publish)
app.command()(versions.route)
app.command()(versions.redrive)
app.command()(diffs.diff)
