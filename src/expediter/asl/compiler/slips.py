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


def catches_all(reader: Reader) -> bool:
    """Whether a Catch of the state takes every error of the states inside it."""
    catchers = reader.spec.get("Catch")
    entries = catchers if isinstance(catchers, list) else []
    lists = [entry.get("ErrorEquals") for entry in entries if isinstance(entry, dict)]
    return any(name in errors for errors in lists if isinstance(errors, list) for name in _EVERY_ERROR)


#: A Catch with one of these names takes every error. The last one is the error of a distributed Map whose items fail.
_EVERY_ERROR = ("States.ALL", "States.TaskFailed", "States.ExceedToleratedFailureThreshold")


def warn_of_choice(reader: Reader) -> None:
    """Without Default the execution fails when no rule holds."""
    rules = reader.spec.get("Choices")
    if not reader.has("Default") and isinstance(rules, list) and not _covers_all(rules):
        reader.warn("", "No Default: the execution fails when no rule holds (States.NoChoiceMatched)", "NO_DEFAULT")


def _covers_all(rules: list[Json]) -> bool:
    """Whether one rule always holds: two test the same value for true and for false, or one is the Not of another."""
    tests = [
        {field: rule[field] for field in rule if field not in _NO_TESTS} for rule in rules if isinstance(rule, dict)
    ]
    return any(test.get("Condition") is True for test in tests) or any(
        opposite in tests for test in tests for opposite in _opposites(test)
    )


_NO_TESTS = ("Next", "Assign", "Output", "Comment")
_YES_OR_NO = ("BooleanEquals", "IsPresent", "IsNull", "IsString", "IsNumeric", "IsBoolean", "IsTimestamp")


def _opposites(test: dict[str, Json]) -> Iterator[dict[str, Json]]:
    """The tests that hold when this one does not, as people write them."""
    condition = test.get("Condition")
    if isinstance(condition, str):
        yield {"Condition": f"{{% $not({condition.removeprefix('{%').removesuffix('%}').strip()}) %}}"}
        return
    yield {"Not": test}
    for operator in _YES_OR_NO:
        if isinstance(test.get(operator), bool):
            yield {**test, operator: not test[operator]}
