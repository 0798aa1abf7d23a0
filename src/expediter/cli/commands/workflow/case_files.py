"""Files of cases: JSON lists in the format of the recorded cases, and of a user's own, which may leave things out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from expediter.cli.commands.workflow.options import chosen, read
from expediter.cli.commands.workflow.reading.values import Unreadable


class _Object(msgspec.Struct):
    bucket: str
    key: str
    body: Any


class _Form(msgspec.Struct):
    """The fields of a case whose type matters."""

    expected: dict[str, Any]
    id: str | None = None
    group: str | None = None
    tier: str | None = None
    definition_file: str | None = None
    request: dict[str, Any] | None = None
    task_mocks: dict[str, list[dict[str, Any]]] | None = None
    s3_objects: list[_Object] = []
    stopped_by_api: dict[str, Any] | None = None


def load_cases(paths: list[Path]) -> Iterator[dict[str, Any]]:
    """The cases of each file; a file that holds no list of cases is passed over. Raises Unreadable."""
    files = [file for path in paths for file in (sorted(path.rglob("*.json")) if path.is_dir() else [path])]
    for file in files:
        found = read(file)
        for number, case in enumerate(found if isinstance(found, list) else [], 1):
            if isinstance(case, dict) and "expected" in case:
                yield _completed(_checked(case, f"{file}: case {number}"), file, number)


def _checked(case: dict[str, Any], place: str) -> dict[str, Any]:
    try:
        msgspec.convert(case, _Form)
    except msgspec.ValidationError as error:
        raise Unreadable(f"{place}: {error}") from error
    if not case.keys() & {"definition", "definition_text", "definition_file", "request"}:
        raise Unreadable(f"{place}: name its definition or definition_file")
    known = case["expected"].keys() & {"output", "error", "cause", "states_entered"}
    if known and "status" not in case["expected"] and "request" not in case:
        raise Unreadable(f"{place}: expected has {', '.join(sorted(known))}, but no status")
    return case


def _completed(case: dict[str, Any], file: Path, number: int) -> dict[str, Any]:
    """A case of a user's own may name its ``definition_file`` (relative to the case) and leave out the rest."""
    tier = "own" if "status" in case["expected"] else "definition"
    filled = {"id": f"{file.stem} {number}", "group": file.stem, "tier": tier, **case}
    if "states_entered" in case["expected"]:
        filled["expected"] = {"states_entered_order": "exact", **case["expected"]}
    if "definition_file" in case:
        filled["definition"] = chosen(file.parent / case["definition_file"]).definition
    return filled
