"""``expediter workflow``: check, draw, run and test workflow definitions, without a server."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from expediter.asl import DefinitionInvalid, Fault, Unanswered, Verdict, parse, run_case, simulate
from expediter.asl import substitute as substituted
from expediter.asl.texts import decode_unique
from expediter.cli.files import whole_text

app = typer.Typer(no_args_is_help=True, help="Check, draw, run and test workflow definitions.")

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A definition: Amazon States Language as JSON")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON")]


def _load(path: Path) -> Any:  # noqa: ANN401 - any JSON
    try:
        return decode_unique(whole_text(path))
    except (ValueError, RecursionError) as error:
        raise typer.BadParameter(f"{path} is not JSON: {error}") from error


Substitute = Annotated[
    list[str] | None,
    typer.Option("--substitute", metavar="NAME=VALUE", help="What ${NAME} stands for"),
]
Substitutions = Annotated[
    Path | None, typer.Option("--substitutions", exists=True, dir_okay=False, help="A JSON file of NAME: VALUE")
]


def _definition(path: Path, pairs: list[str] | None, file: Path | None) -> Any:  # noqa: ANN401 - any JSON
    """The definition of a file, with its placeholders replaced as the options say."""
    values: dict[str, str] = {}
    if file is not None:
        given = _load(file)
        if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
            raise typer.BadParameter(f"{file} must hold a JSON object of texts")
        values.update(given)
    for pair in pairs or []:
        name, equals, value = pair.partition("=")
        if not equals:
            raise typer.BadParameter(f"--substitute {pair}: give NAME=VALUE")
        values[name] = value
    return substituted(_load(path), values)


@app.command()
def validate(
    file: File,
    substitute: Substitute = None,
    substitutions: Substitutions = None,
    as_json: AsJson = False,
    express: Annotated[bool, typer.Option(help="Apply the rules of Express workflows too")] = False,
) -> None:
    """List everything wrong with a definition; exit 1 when AWS would reject it or it cannot run."""
    faults: tuple[Fault, ...]
    try:
        faults = parse(_definition(file, substitute, substitutions), express=express).warnings
    except DefinitionInvalid as invalid:
        faults = invalid.faults
    errors, warnings = (sum(fault.severity == severity for fault in faults) for severity in ("error", "warning"))
    if as_json:
        typer.echo(json.dumps({"valid": not errors, "faults": msgspec.to_builtins(faults)}, indent=2))
    else:
        for fault in faults:
            typer.echo(f"{fault.severity}: {fault}")
        typer.echo(f"{file}: {errors} errors, {warnings} warnings")
    raise typer.Exit(1 if errors else 0)


@app.command()
def graph(
    file: File,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="An .svg or .mmd file; default: print")] = None,
    mermaid: Annotated[bool, typer.Option(help="Mermaid text instead of SVG")] = False,
    as_json: AsJson = False,
) -> None:
    """Draw a definition as SVG (or Mermaid text, also with ``-o FILE.mmd``), or list what is drawn as JSON."""
    from expediter.console.drawing import graph_svg

    definition = _load(file)
    _valid(definition)
    as_text = mermaid or (output is not None and output.suffix in {".mmd", ".mermaid"})
    if as_json:
        drawn = json.dumps(_listed(definition), indent=2)
    else:
        drawn = graph_svg.mermaid(definition) if as_text else graph_svg.svg(definition, title=file.name)
    if output is None:
        typer.echo(drawn)
    else:
        output.write_text(drawn, encoding="utf-8")


def _listed(definition: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """What the picture shows. A transition from or to null begins or ends its machine; a state's ``in`` is the Parallel
    or Map around it, or null."""
    from expediter.console.drawing.graph import END, START, picture

    shown = picture(definition)
    ends = {START, END}
    states = [box for box in shown.boxes if box.name not in ends]
    return {
        "states": [{"name": box.name, "type": box.kind, "in": box.parent or None} for box in states],
        "transitions": [
            {
                "from": None if wire.source in ends else wire.source,
                "to": None if wire.target in ends else wire.target,
                "kind": wire.kind,
                "label": wire.label or None,
            }
            for wire in shown.wires
        ],
    }


def _valid(definition: Any) -> None:  # noqa: ANN401 - any JSON
    try:
        parse(definition)
    except DefinitionInvalid as invalid:
        for fault in invalid.faults:
            typer.echo(f"{fault.severity}: {fault}", err=True)
        raise typer.Exit(1) from invalid


@app.command()
def run(
    file: File,
    *,
    input: Annotated[str, typer.Option("--input", help="The input: JSON, or @FILE")] = "{}",
    mocks: Annotated[Path | None, typer.Option("--mocks", help="Prepared answers: Resource -> list of calls")] = None,
    substitute: Substitute = None,
    substitutions: Substitutions = None,
    as_json: AsJson = False,
) -> None:
    """Run a definition in virtual time with prepared answers; exit 1 unless it succeeds."""
    given = _load(Path(input[1:])) if input.startswith("@") else _argument(input)
    definition = _definition(file, substitute, substitutions)
    _valid(definition)
    try:
        done = simulate(definition, given, mocks=_load(mocks) if mocks else None)
    except Unanswered as missing:
        typer.echo(f"{missing}. Add it to the file given with --mocks.", err=True)
        raise typer.Exit(1) from missing
    if as_json:
        typer.echo(json.dumps(msgspec.to_builtins(done), indent=2))
    else:
        typer.echo(" → ".join(done.states_entered))
        ended = done.output if done.status == "SUCCEEDED" else {"error": done.error, "cause": done.cause}
        typer.echo(f"{done.status} after {done.seconds:g} s: {json.dumps(ended)}")
    raise typer.Exit(0 if done.status == "SUCCEEDED" else 1)


def _argument(text: str) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"--input is not JSON: {error}") from error


@app.command("test")
def run_cases(
    paths: Annotated[list[Path], typer.Argument(exists=True, help="Files of cases, or folders of such files")],
    results: Annotated[Path | None, typer.Option("--results", help="Write one JSON line per case here")] = None,
    as_json: AsJson = False,
) -> None:
    """Run recorded cases and print how many agree, per tier and group; exit 1 if any disagrees."""
    verdicts = [verdict for case in load_cases(paths) if (verdict := run_case(case)) is not None]
    if results is not None:
        results.write_text("".join(json.dumps(_row(verdict)) + "\n" for verdict in verdicts), encoding="utf-8")
    report = summary(verdicts)
    typer.echo(json.dumps(report, indent=2) if as_json else _table(report))
    raise typer.Exit(0 if all(verdict.agrees for verdict in verdicts) else 1)


def load_cases(paths: list[Path]) -> Iterator[dict[str, Any]]:
    """The cases of each file; a file that holds no list of cases is passed over."""
    files = [file for path in paths for file in (sorted(path.rglob("*.json")) if path.is_dir() else [path])]
    for file in files:
        found = _load(file)
        for case in found if isinstance(found, list) else []:
            if isinstance(case, dict) and "expected" in case:
                yield _completed(case, file)


def _completed(case: dict[str, Any], file: Path) -> dict[str, Any]:
    """A case of a user's own may name its ``definition_file`` (relative to the case) and leave out the rest."""
    tier = "own" if "status" in case["expected"] else "definition"
    filled = {"group": file.stem, "tier": tier, **case}
    if "definition_file" in case:
        filled["definition"] = _load(file.parent / case["definition_file"])
    return filled


def _row(verdict: Verdict) -> dict[str, Any]:
    return {"id": verdict.id, **verdict.got, "agrees": verdict.agrees}


def summary(verdicts: list[Verdict]) -> dict[str, Any]:
    """Agreement per tier and per group, causes on their own, and each case that disagrees with what differs."""
    causes = [
        verdict for verdict in verdicts if "cause" in verdict.differs and verdict.got.get("status") != "SUCCEEDED"
    ]
    return {
        "cases": len(verdicts),
        "agree": sum(verdict.agrees for verdict in verdicts),
        "tiers": _shares(verdicts, "tier"),
        "groups": _shares(verdicts, "group"),
        "causes": {"cases": len(causes), "agree": sum(not verdict.differs["cause"] for verdict in causes)},
        "disagree": [
            {"id": verdict.id, "differs": [line for lines in verdict.differs.values() for line in lines]}
            for verdict in verdicts
            if not verdict.agrees
        ],
    }


def _shares(verdicts: list[Verdict], part: str) -> dict[str, dict[str, int]]:
    shares: dict[str, dict[str, int]] = {}
    for verdict in verdicts:
        share = shares.setdefault(getattr(verdict, part), {"cases": 0, "agree": 0})
        share["cases"] += 1
        share["agree"] += verdict.agrees
    return dict(sorted(shares.items()))


def _table(report: dict[str, Any]) -> str:
    lines = []
    for part in ("tiers", "groups"):
        lines.append(f"{part}:")
        lines += [f"  {name:<32}{share['agree']:>5} of {share['cases']}" for name, share in report[part].items()]
    lines.append(f"causes equal where an execution failed: {report['causes']['agree']} of {report['causes']['cases']}")
    for found in report["disagree"]:
        lines += [f"DISAGREES {found['id']}", *(f"    {line}" for line in found["differs"])]
    lines.append(f"{report['agree']} of {report['cases']} cases agree")
    return "\n".join(lines)
