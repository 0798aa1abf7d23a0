"""Faults of definitions, as people and programs want them: text with the line shown, JSON, GitHub's, SARIF."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec

from expediter.asl import Fault
from expediter.cli.commands.workflow.reading.places import Location, locate
from expediter.cli.commands.workflow.reading.sources import Source
from expediter.cli.commands.workflow.reading.values import Unreadable, line_and_column


class Found(NamedTuple):
    """A fault, the file it is in, and where there."""

    file: Path
    source: Source
    fault: Fault
    location: Location | None


def found_in(file: Path, source: Source, faults: tuple[Fault, ...]) -> list[Found]:
    """The faults of one definition, with their places in its file."""
    return [Found(source.file or file, source, fault, locate(source, fault.path)) for fault in faults]


#: The code of what is wrong with a file that cannot be read.
UNREADABLE = "UNREADABLE"


def unread(file: Path, reason: Unreadable) -> Found:
    """A file that cannot be read, in the form of a fault."""
    fault = Fault("", str(reason).removeprefix(f"{file}: "), code=UNREADABLE)
    place = reason.place
    if place is None:
        return Found(file, Source("", None, ""), fault, None)
    location = Location(*line_and_column(place.text, place.offset))
    return Found(place.file or file, Source("", None, place.text), fault, location)


def as_text(found: list[Found]) -> str:
    """One paragraph for each: what is wrong, and the line with a caret below it."""
    return "\n".join(map(_paragraph, found))


def _paragraph(one: Found) -> str:
    title = f"{one.fault.severity}: {one.fault}"
    if one.location is None or one.fault.severity == "note":
        return title
    return f"{title}\n{_excerpt(one.file, one.source.text, one.location)}"


def told(reason: Unreadable) -> str:
    """Why a file cannot be read, and where its place is known the line with a caret below it."""
    place = reason.place
    if place is None or place.file is None:
        return str(reason)
    location = Location(*line_and_column(place.text, place.offset))
    return f"{reason}\n{_excerpt(place.file, place.text, location)}"


def _excerpt(file: Path, text: str, location: Location) -> str:
    line, column = location
    lines = [*text.splitlines(), ""]  # what is missing at the end of a text may be missing below its last line
    shown, at = _around(lines[line - 1].replace("\t", " "), column)
    number = f"{line:>5}"
    return f"  --> {file}:{line}:{column}\n{number} | {shown}\n{' ' * len(number)} | {' ' * at}^"


#: Characters of a line that are shown.
_WIDTH = 110


def _around(line: str, column: int) -> tuple[str, int]:
    """What is shown of a line, and the place of the caret below it: a long line is cut on both sides of the fault."""
    if len(line) <= _WIDTH:
        return line, column - 1
    begin = max(0, min(column - 1 - _WIDTH // 2, len(line) - _WIDTH))
    before, after = "…" if begin else "", "…" if begin + _WIDTH < len(line) else ""
    return f"{before}{line[begin : begin + _WIDTH]}{after}", column - 1 - begin + len(before)


def as_json(found: list[Found]) -> str:
    """``{"valid": …, "faults": […]}``; each fault with its file, ``line`` and ``column`` (null: not known).

    With ``error``, what to say of the files that could not be read.
    """
    faults = [
        {
            "file": str(one.file),
            **msgspec.to_builtins(one.fault),
            "line": one.location and one.location.line,
            "column": one.location and one.location.column,
        }
        for one in found
    ]
    unread_files = [f"{one.file}: {one.fault.message}" for one in found if one.fault.code == UNREADABLE]
    error = {"error": "\n".join(unread_files)} if unread_files else {}
    return json.dumps({"valid": not error_count(found), "faults": faults, **error}, indent=2)


def sum_line(file: Path, found: list[Found]) -> str:
    """How many errors and warnings a definition has, as one line."""
    warnings = sum(one.fault.severity == "warning" for one in found)
    return f"{file}: {error_count(found)} errors, {warnings} warnings"


def error_count(found: list[Found]) -> int:
    """The number of faults that are errors."""
    return sum(one.fault.severity == "error" for one in found)


#: What would end a property of a workflow command.
_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})
_GITHUB = {"error": "error", "warning": "warning", "note": "notice"}


def as_github(found: list[Found]) -> str:
    """Workflow commands of GitHub Actions, which shows them beside the lines.

    https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
    """

    def command(one: Found) -> str:
        line, column = one.location or Location(1, 1)
        message = str(one.fault).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
        file = str(one.file).translate(_PROPERTY)
        return f"::{_GITHUB[one.fault.severity]} file={file},line={line},col={column}::{message}"

    return "\n".join(map(command, found))


def as_sarif(found: list[Found]) -> str:
    """SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html)."""
    rules = [{"id": code} for code in dict.fromkeys(one.fault.code for one in found)]
    run = {
        "tool": {"driver": {"name": "expediter workflow validate", "rules": rules}},
        "results": [_result(one) for one in found],
    }
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    return json.dumps({"$schema": schema, "version": "2.1.0", "runs": [run]}, indent=2)


def _result(one: Found) -> dict[str, Any]:
    line, column = one.location or Location(1, 1)
    region = {"startLine": line, "startColumn": column}
    place = {"physicalLocation": {"artifactLocation": {"uri": _uri(one.file)}, "region": region}}
    message = {"text": str(one.fault)}
    return {"ruleId": one.fault.code, "level": one.fault.severity, "message": message, "locations": [place]}


def _uri(file: Path) -> str:
    return file.as_uri() if file.is_absolute() else quote(file.as_posix())


FORMATS: dict[str, Callable[[list[Found]], str]] = {
    "text": as_text,
    "json": as_json,
    "github": as_github,
    "sarif": as_sarif,
}
