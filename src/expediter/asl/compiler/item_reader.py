"""ItemReader: from what a store answers to the items of a distributed Map. Reading is the caller's, parsing is here.

The answer to ``s3:getObject`` is the object's text; to ``s3:listObjectsV2`` the array of its entries,
and so it is for the objects that a manifest lists.
"""

import csv
import io
from collections.abc import Callable

import msgspec

from expediter.asl.compiler.reader import Reader
from expediter.asl.errors import StateFailure
from expediter.asl.protocol import Json
from expediter.asl.texts import decode

DELIMITERS = {"COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "SPACE": " ", "TAB": "\t"}
RESOURCES = ("arn:aws:states:::s3:getObject", "arn:aws:states:::s3:listObjectsV2")
WRITERS = ("arn:aws:states:::s3:putObject",)


def _failure(cause: str) -> StateFailure:
    return StateFailure("States.ItemReaderFailed", cause)


def _text(answer: Json) -> str:
    if not isinstance(answer, str):
        raise _failure("The object to read is not text.")
    return answer


def _json(answer: Json) -> list[Json]:
    try:
        found = decode(_text(answer))
    except msgspec.DecodeError as error:
        raise _failure("Attempting to map over non-iterable node.") from error
    if not isinstance(found, list):
        raise _failure("Attempting to map over non-iterable node.")
    return found


def _json_lines(answer: Json) -> list[Json]:
    try:
        return [decode(line) for line in _text(answer).splitlines() if line.strip()]
    except msgspec.DecodeError as error:
        raise _failure("The JSON Lines object holds a line that is not JSON.") from error


def _entries(answer: Json) -> list[Json]:
    if not isinstance(answer, list):
        raise _failure("The listing of objects is not an array.")
    return answer


def _csv(headers: list[str] | None, delimiter: str) -> Callable[[Json], list[Json]]:
    """Rows of blanks are rows; a short one is filled up with "", and what exceeds the headers is dropped."""

    def read(answer: Json) -> list[Json]:
        rows = [row for row in csv.reader(io.StringIO(_text(answer)), delimiter=delimiter) if row]
        if headers is None and not rows:
            return []
        names = rows.pop(0) if headers is None else headers
        if len(set(names)) != len(names):
            raise _failure("CSV headers cannot contain duplicates.")
        return [dict(zip(names, [*row, *[""] * len(names)], strict=False)) for row in rows]

    return read


def compile_parser(config: Reader, resource: str) -> Callable[[Json], list[Json]]:
    """How to read the answer, from ReaderConfig; what is not supported is a fault with its name."""
    if resource.endswith(":listObjectsV2"):
        return _entries
    kind = config.text("InputType")
    if kind == "CSV":
        return _csv_config(config)
    if kind not in _PARSERS:
        config.complain("InputType", f"must be one of CSV, {', '.join(_PARSERS)} (not supported: '{kind}')")
        return _json
    return _PARSERS[kind]


_PARSERS: dict[str, Callable[[Json], list[Json]]] = {"JSON": _json, "JSONL": _json_lines, "MANIFEST": _entries}


def _csv_config(config: Reader) -> Callable[[Json], list[Json]]:
    place = config.text("CSVHeaderLocation", "FIRST_ROW")
    if place not in {"FIRST_ROW", "GIVEN"}:
        config.complain("CSVHeaderLocation", "must be FIRST_ROW or GIVEN")
    headers: list[str] | None = None
    if place == "GIVEN":
        config.require("CSVHeaders")
        headers = config.take("CSVHeaders", list, "an array of strings", [])
    delimiter = config.text("CSVDelimiter", "COMMA")
    if delimiter not in DELIMITERS:
        config.complain("CSVDelimiter", f"must be one of {', '.join(DELIMITERS)}")
    return _csv(headers, DELIMITERS.get(delimiter, ","))
