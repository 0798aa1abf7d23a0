"""A warning for Choices: a field that a rule reads and that nothing in the workflow sets.

This is a guess, as the execution's input may hold the field. So the first state is not checked, and any template or
result that could name the field counts as setting it.
"""

import re
from collections.abc import Iterator

from expediter.asl.compiler.reader import Reader
from expediter.asl.protocol import Json

_FIRST_NAME = re.compile(r"\$\.([A-Za-z_]\w*)")
_SHAPING = ("Parameters", "ResultSelector", "Result", "Arguments", "Output", "ItemSelector", "Assign")


def check_choices(scope: Reader, specs: dict[str, Json]) -> None:
    """Warn of each Choice that reads ``$.name`` when no state of this level mentions setting ``name``."""
    first = scope.spec.get("StartAt")
    states = {name: spec for name, spec in specs.items() if isinstance(spec, dict)}
    named = {found for spec in states.values() for found in _names_set(spec)}
    if named & {"*"}:
        return
    for name, spec in states.items():
        if spec.get("Type") != "Choice" or name == first or scope.jsonata:
            continue
        for read in sorted(set(_names_read(spec.get("Choices"))) - named):
            scope.warn(f"States.{name}", f"A rule reads '$.{read}' and no state sets it", "FIELD_NEVER_SET")


def _names_set(spec: dict[str, Json]) -> Iterator[str]:
    """Names that a state may put into its output; ``*`` when its whole output comes from outside."""
    for holder in [spec, *[entry for entry in spec.get("Catch", []) if isinstance(entry, dict)]]:
        path = holder.get("ResultPath", "$")
        if isinstance(path, str) and (found := _FIRST_NAME.match(path)):
            yield found[1]
    if spec.get("Type") in {"Task", "Map", "Parallel"} and spec.get("ResultPath", "$") == "$":
        yield "*"
    for field in _SHAPING:
        if isinstance(spec.get(field), dict):
            yield from (key.removesuffix(".$") for key in spec[field])
    if "InputPath" in spec or "OutputPath" in spec:
        yield "*"


def _names_read(value: Json) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _names_read(item)
    elif isinstance(value, dict):
        variable = value.get("Variable")
        if isinstance(variable, str) and "IsPresent" not in value and (found := _FIRST_NAME.match(variable)):
            yield found[1]
        for key in ("And", "Or", "Not"):
            yield from _names_read(value.get(key))
