"""``expediter workflow watch``: a definition is checked, drawn and tested at every save."""

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from expediter.cli.commands.workflow.checks import faults_of
from expediter.cli.commands.workflow.options import File, Name, chosen, ends, write
from expediter.cli.commands.workflow.reports import as_text, error_count, found_in, sum_line
from expediter.cli.commands.workflow.runs import agreement
from expediter.cli.commands.workflow.sources import Source


def watch(
    file: File,
    *,
    name: Name = None,
    every: Annotated[float, typer.Option(min=0.05, help="Seconds between two looks")] = 0.5,
) -> None:
    """Check and draw a definition at every save, and run the cases beside it (*.cases.json), until Ctrl-C."""
    for _ in _saves(file, every):
        typer.echo(f"── {time.strftime('%H:%M:%S')} {file}")
        try:
            with ends(as_json=False):
                source = chosen(file, name, None, None)
        except typer.Exit:
            continue
        found = found_in(file, source, faults_of(source))
        typer.echo("\n".join([*([as_text(found)] if found else []), sum_line(file, found)]))
        if not error_count(found):
            with suppress(typer.Exit), ends(as_json=False):
                _draw_and_run(file, source)


def _draw_and_run(file: Path, source: Source) -> None:
    from expediter.console.drawing import graph_svg

    picture = file.with_name(f"{file.name.removesuffix(''.join(file.suffixes))}.svg")
    write(picture, graph_svg.svg(source.definition, title=file.name))
    typer.echo(f"drawn: {picture}")
    if cases := sorted(file.parent.glob("*.cases.json")):
        typer.echo(agreement(cases))


def _saves(file: Path, every: float) -> Iterator[None]:
    """Once at the start, and then whenever the file or a case beside it has changed."""
    before: list[int] | None = None
    while True:
        files = [file, *file.parent.glob("*.cases.json")]
        now = [path.stat().st_mtime_ns for path in files if path.exists()]
        if now != before:
            before = now
            yield
        else:
            time.sleep(every)
