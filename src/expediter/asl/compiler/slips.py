"""Warnings of probable mistakes that AWS accepts."""

import re
from collections.abc import Iterator

from expediter.asl.compiler.reader import Reader
from expediter.asl.protocol import Json

_PATH = re.compile(r"\$\$?(\.[A-Za-z_][\w.\[\]]*)?")
_TEMPLATES = ("Parameters", "ResultSelector", "ItemSelector", "Assign")


def warn_of_paths(reader: Reader) -> None:
    """Warn of a path as the value of a key without ``.$``: the path is passed on as text."""
    for field in () if reader.jsonata else _TEMPLATES:
        for place, key, path in _paths_as_text(reader.spec.get(field), field):
            reader.warn(place, f"'{path}' is handed on as this text: name the key '{key}.$' to read it", "PATH_AS_TEXT")


def _paths_as_text(value: Json, place: str, key: str = "") -> Iterator[tuple[str, str, str]]:
    """Place, key and text of every value in a template that looks like a path, but is used as text."""
    if isinstance(value, str) and key and not key.endswith(".$") and len(value) > 1 and _PATH.fullmatch(value):
        yield place, key, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _paths_as_text(inner, f"{place}.{name}", name)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _paths_as_text(inner, f"{place}[{index}]")


def warn_of_choice(reader: Reader) -> None:
    """Without Default the execution fails when no rule holds."""
    rules = reader.spec.get("Choices")
    if not reader.has("Default") and isinstance(rules, list) and not _covers_all(rules):
        reader.warn("", "No Default: the execution fails when no rule holds (States.NoChoiceMatched)", "NO_DEFAULT")


def _covers_all(rules: list[Json]) -> bool:
    """Whether two rules test the same value for true and for false."""
    asked = [
        (rule.get("Variable"), operator, rule[operator])
        for rule in rules
        if isinstance(rule, dict)
        for operator in ("BooleanEquals", "IsPresent", "IsNull", "IsString", "IsNumeric", "IsBoolean", "IsTimestamp")
        if isinstance(rule.get(operator), bool)
    ]
    return any((variable, operator, not value) in asked for variable, operator, value in asked)
