"""``expediter workflow watch``: a definition is checked, drawn and tested at every save."""

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from expediter.asl import parse
from expediter.cli.commands.workflow.checks import faults_of
from expediter.cli.commands.workflow.options import File, Name, chosen, ends, write
from expediter.cli.commands.workflow.reading.sources import Source
from expediter.cli.commands.workflow.reading.values import Unreadable
from expediter.cli.commands.workflow.reports import as_text, error_count, found_in, sum_line
from expediter.cli.commands.workflow.runs import agreement


def watch(
    file: File,
    *,
    name: Name = None,
    every: Annotated[float, typer.Option(min=0.05, help="Seconds between two looks")] = 0.5,
) -> None:
    """Check and draw a definition at every save, and run the cases beside it (*.cases.json), until Ctrl-C."""
    if file.exists() and not file.is_file():
        with ends(as_json=False):
            raise Unreadable(f"{file} cannot be watched: it is not a regular file")
    for _ in _saves(file, every):
        typer.echo(f"── {time.strftime('%H:%M:%S')} {file}")
        try:
            with ends(as_json=False):
                source = chosen(file, name)
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
    write(picture, graph_svg.svg(parse(source.definition, express=source.express).definition, title=file.name))
    typer.echo(f"drawn: {picture}")
    if cases := sorted(file.parent.glob("*.cases.json")):
        typer.echo(agreement(cases))


class _Seen(NamedTuple):
    """What tells one save from another, also of an editor that puts a new file in the place of the old one."""

    file: int
    modified: int
    size: int


def _seen(path: Path) -> _Seen | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return _Seen(found.st_ino, found.st_mtime_ns, found.st_size)


def _saves(file: Path, every: float) -> Iterator[None]:
    """Once at the start, and then whenever the file or a case beside it has changed."""
    before: list[_Seen | None] | None = None
    while True:
        now = [_seen(path) for path in (file, *sorted(file.parent.glob("*.cases.json")))]
        if now != before:
            before = now
            yield
        else:
            time.sleep(every)
