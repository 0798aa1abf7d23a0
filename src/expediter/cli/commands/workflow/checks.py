"""``expediter workflow validate``, ``graph`` and ``fmt``: a definition is read, and not run."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from expediter.asl import DefinitionInvalid, Fault, Machine, parse
from expediter.cli.commands.workflow.options import (
    AsJson,
    File,
    Files,
    Name,
    Substitute,
    Substitutions,
    chosen,
    ends,
    values_of,
    write,
)
from expediter.cli.commands.workflow.reading.sources import Source
from expediter.cli.commands.workflow.reading.values import Unreadable
from expediter.cli.commands.workflow.reports import (
    FORMATS,
    UNREADABLE,
    Found,
    as_text,
    error_count,
    found_in,
    sum_line,
    told,
    unread,
)


class Format(StrEnum):
    """How ``validate`` prints what it finds."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"
    SARIF = "sarif"


def faults_of(source: Source, *, express: bool = False) -> tuple[Fault, ...]:
    """Everything wrong with a definition, errors, warnings and notes."""
    try:
        return parse(source.definition, express=express or source.express).warnings
    except DefinitionInvalid as invalid:
        return invalid.faults


def validate(
    files: Files,
    *,
    name: Name = None,
    substitute: Substitute = None,
    substitutions: Substitutions = None,
    as_json: AsJson = False,
    format: Annotated[Format, typer.Option(help="How to print what is found")] = Format.TEXT,
    express: Annotated[bool, typer.Option(help="Apply the rules of Express, as where a template says so")] = False,
) -> None:
    """List everything wrong with definitions; exit 1 when AWS would reject one or it cannot run."""
    form = Format.JSON if as_json else format
    with ends(as_json=form is Format.JSON):
        values = values_of(substitute, substitutions)
    all_found: list[Found] = []
    for file in files:
        try:
            source = chosen(file, name, values)
        except Unreadable as error:
            found = [unread(file, error)]
            if form is Format.TEXT:
                typer.echo(told(error), err=True)
        else:
            found = found_in(file, source, faults_of(source, express=express))
            if form is Format.TEXT:
                typer.echo("\n".join([*([as_text(found)] if found else []), sum_line(file, found)]))
        all_found += found
    if form is not Format.TEXT:
        typer.echo(FORMATS[form](all_found))
    raise typer.Exit(_exit_code(all_found))


def _exit_code(found: list[Found]) -> int:
    """2 when nothing could be read, 1 when there is an error."""
    if found and all(one.fault.code == UNREADABLE for one in found):
        return 2
    return 1 if error_count(found) else 0


def graph(
    file: File,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="An .svg or .mmd file; default: print")] = None,
    *,
    name: Name = None,
    mermaid: Annotated[bool, typer.Option(help="Mermaid text instead of SVG")] = False,
    as_json: AsJson = False,
) -> None:
    """Draw a definition as SVG (or Mermaid text, also with a file that ends in .mmd), or list what is drawn as JSON."""
    from expediter.console.drawing import graph_svg

    with ends(as_json=as_json):
        source = chosen(file, name)
    definition = only_valid(file, source, as_json=as_json).definition
    as_mermaid = mermaid or (output is not None and output.suffix in {".mmd", ".mermaid"})
    if as_json:
        drawn = json.dumps(_listed(definition), indent=2)
    else:
        drawn = graph_svg.mermaid(definition) if as_mermaid else graph_svg.svg(definition, title=file.name)
    if output is None:
        typer.echo(drawn)
    else:
        with ends(as_json=as_json):
            write(output, drawn)
        if as_json:
            typer.echo(json.dumps({"written": str(output)}))


def _listed(definition: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """What the picture shows. A transition from or to null begins or ends its machine; a state's ``in`` is the Parallel
    or Map around it, or null."""
    from expediter.console.drawing.graph import END, START, picture

    shown = picture(definition)
    ends_ = {START, END}
    states = [box for box in shown.boxes if box.name not in ends_]
    return {
        "states": [{"name": box.name, "type": box.kind, "in": box.parent or None} for box in states],
        "transitions": [
            {
                "from": None if wire.source in ends_ else wire.source,
                "to": None if wire.target in ends_ else wire.target,
                "kind": wire.kind,
                "label": wire.label or None,
            }
            for wire in shown.wires
        ],
    }


def only_valid(file: Path, source: Source, *, as_json: bool = False) -> Machine:
    """The definition as a machine. Ends the command with exit 1 when it cannot run."""
    try:
        return parse(source.definition, express=source.express)
    except DefinitionInvalid as invalid:
        found = found_in(file, source, invalid.faults)
        typer.echo(FORMATS["json"](found) if as_json else as_text(found), err=not as_json)
        raise typer.Exit(1) from invalid
