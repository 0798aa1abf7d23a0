"""``expediter workflow run`` and ``test``: a definition is run in virtual time, with answers prepared beside it."""

import json
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from expediter.asl import Machine, Simulation, Unanswered, Verdict, check_mocks, names_left, run_case, simulate
from expediter.cli.commands.workflow.case_files import NoCases, load_cases
from expediter.cli.commands.workflow.checks import only_valid
from expediter.cli.commands.workflow.options import (
    AsJson,
    File,
    Name,
    Substitute,
    Substitutions,
    argument,
    chosen,
    ends,
    read,
    values_of,
    write,
)
from expediter.cli.commands.workflow.reading.values import Unreadable
from expediter.cli.commands.workflow.service_models import service_model


def run(
    file: File,
    *,
    input: Annotated[str, typer.Option("--input", help="The input: JSON, or @FILE")] = "{}",
    mocks: Annotated[Path | None, typer.Option("--mocks", help="Prepared answers: Resource -> list of calls")] = None,
    name: Name = None,
    substitute: Substitute = None,
    substitutions: Substitutions = None,
    as_json: AsJson = False,
) -> None:
    """Run a definition in virtual time with prepared answers; exit 1 unless it succeeds."""
    with ends(as_json=as_json):
        given = argument("--input", input)
        source = chosen(file, name, values_of(substitute, substitutions))
        answers = {} if mocks is None else read(mocks)
        machine = only_valid(file, source, as_json=as_json)
        if faults := check_mocks(machine, answers):
            raise Unreadable("\n".join(f"{mocks}: {fault.path or 'answers'}: {fault.message}" for fault in faults))
        done = _simulated(machine, given, answers)
    left = [f"${{{name}}}" for name in names_left(source.definition) if name not in machine.resources]
    if as_json:
        typer.echo(json.dumps({**msgspec.to_builtins(done), "without_value": left}, indent=2))
    else:
        if left:
            typer.echo(f"Without a value: {', '.join(left)}. Stand-ins are used; --substitute gives values.", err=True)
        typer.echo(" → ".join(done.states_entered))
        ended = done.output if done.status == "SUCCEEDED" else {"error": done.error, "cause": done.cause}
        typer.echo(f"{done.status} after {done.seconds:g} s: {json.dumps(ended)}")
    raise typer.Exit(0 if done.status == "SUCCEEDED" else 1)


def _simulated(machine: Machine, given: Any, answers: Any) -> Simulation:  # noqa: ANN401 - any JSON
    try:
        return simulate(machine, given, mocks=answers)
    except Unanswered as missing:
        raise Unreadable(f"{missing}. Add it to the file given with --mocks.") from missing


def run_cases(
    paths: Annotated[list[Path], typer.Argument(help="Files of cases, or folders of such files")],
    results: Annotated[Path | None, typer.Option("--results", help="Write one JSON line per case here")] = None,
    as_json: AsJson = False,
) -> None:
    """Run recorded cases and print how many agree, per tier and group; exit 1 if any disagrees, or there is none."""
    verdicts, unread = _verdicts(paths)
    if not verdicts and any(not isinstance(reason, NoCases) for reason in unread):
        with ends(as_json=as_json):
            raise Unreadable("\n".join(map(str, unread)))
    if results is not None:
        with ends(as_json=as_json):
            write(results, "".join(json.dumps(_row(verdict)) + "\n" for verdict in verdicts))
    report = summary(verdicts, unread)
    typer.echo(json.dumps(report, indent=2) if as_json else _table(report))
    raise typer.Exit(0 if verdicts and not unread and all(verdict.agrees for verdict in verdicts) else 1)


def agreement(paths: list[Path]) -> str:
    """How many cases of these files agree, and what differs, as text."""
    return _table(summary(*_verdicts(paths)))


def _verdicts(paths: list[Path]) -> tuple[list[Verdict], list[Unreadable]]:
    """How the cases ended, and why some of them are none."""
    verdicts: list[Verdict] = []
    unread: list[Unreadable] = []
    for case in load_cases(paths):
        if isinstance(case, Unreadable):
            unread.append(case)
        elif (verdict := run_case(case, service_model)) is not None:
            verdicts.append(verdict)
    if not verdicts and not unread:
        unread.append(NoCases(f"There are no cases in {', '.join(map(str, paths))}."))
    return verdicts, unread


def _row(verdict: Verdict) -> dict[str, Any]:
    return {"id": verdict.id, **verdict.got, "agrees": verdict.agrees}


def summary(verdicts: list[Verdict], unread: list[Unreadable]) -> dict[str, Any]:
    """Agreement per tier and per group, causes on their own, and each case that disagrees with what differs.

    ``error``: why some cases could not be read, if there are such.
    """
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
        **({"error": "\n".join(map(str, unread))} if unread else {}),
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
    if "error" in report:
        lines.append(report["error"])
    lines.append(f"{report['agree']} of {report['cases']} cases agree")
    return "\n".join(lines)
