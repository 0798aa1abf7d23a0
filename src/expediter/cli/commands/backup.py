"""``expediter backup``: a copy of the database, also while the server runs."""

from pathlib import Path
from typing import Annotated

import typer

from expediter.cli.terms import AsJson, Data, counted, stop


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write the copy; must not exist")],
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Write a checked copy of the database to a file, also while the server takes orders.

    Every order acknowledged before it began is in it. FILE appears when the copy is whole and on
    disk; what an interrupted backup leaves ends in .part and can be removed.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    from expediter.cli import show
    from expediter.cli.finding import folder
    from expediter.embedded.sqlite.backup import BackupRefused, back_up
    from expediter.embedded.sqlite.database import DataRefused

    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
    try:
        with Progress(*columns, console=Console(stderr=True)) as bar:
            task = bar.add_task("Copying, then checking", total=None)
            made = back_up(folder(data), file, lambda done, total: bar.update(task, completed=done, total=total))
    except (DataRefused, BackupRefused) as error:
        stop(str(error), 1 if isinstance(error, BackupRefused) else 2)
    if as_json:
        show.as_json({"file": str(file), "bytes": made.size, "orders": made.orders, "waiting": made.waiting})
    else:
        print(f"{file}: {counted(made.orders, 'order')} and {made.waiting} on the queue, {made.size:,} bytes, checked.")
