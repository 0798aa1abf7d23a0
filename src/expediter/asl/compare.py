"""Compares an answer with a recorded one. It allows for values that vary.

Recorded texts may hold placeholders for values that vary (ids, dates); at the paths that a case names as fuzzy, such a
text is a pattern. Everywhere else equal means equal; numbers compare by value, and causes that are JSON as JSON.
"""

import json
import re
from typing import Any

from expediter.asl.protocol import Json
from expediter.asl.texts import is_number, json_text

_WORDS = (
    "date|timestamp|datetime|snf_role_arn|sfn_role_arn|map_run_arn|task_token|start-date|stop-date|entered-time|"
    "start-time|request-id|RequestId|X-Amzn-Trace-Id|generated-uuid"
)
_PLACEHOLDER = rf"<[A-Za-z_][A-Za-z0-9_:./ -]*>|(?<![A-Za-z0-9_.$-])(?:{_WORDS})(?![A-Za-z0-9_-])"
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Comparison:
    """Collects what differs; at the paths that the case names, or everywhere (``fuzzy``), a text is a pattern."""

    def __init__(self, case: dict[str, Any], *, fuzzy: bool = False) -> None:
        extra = sorted(case.get("placeholder_tokens") or (), key=len, reverse=True)
        self.placeholder = re.compile("|".join([*map(re.escape, extra), _PLACEHOLDER]))
        self.fuzzy = None if fuzzy else {found["path"] for found in case.get("fuzzy", [])}

    def compare(self, expected: Json, got: Json, path: str) -> list[str]:
        if isinstance(expected, dict) and isinstance(got, dict):
            return self.objects(expected, got, path)
        if isinstance(expected, list) and isinstance(got, list):
            return self.arrays(expected, got, path)
        if is_number(expected) and is_number(got):
            equal = expected == got
        else:
            equal = type(expected) is type(got) and expected == got
        fuzzy = self.fuzzy is None or path in self.fuzzy
        if equal or (fuzzy and isinstance(expected, str) and self.matches(expected, got)):
            return []
        return [f"{path}: {_shown(got)} != expected {_shown(expected)}"]

    def objects(self, expected: dict[str, Json], got: dict[str, Json], path: str) -> list[str]:
        found = [f"{_below(path, key)}: unexpected {_shown(got[key])}" for key in got if key not in expected]
        for key, value in expected.items():
            here = _below(path, key)
            found += self.compare(value, got[key], here) if key in got else [f"{here}: missing"]
        return found

    def arrays(self, expected: list[Json], got: list[Json], path: str) -> list[str]:
        if len(expected) != len(got):
            return [f"{path}: length {len(got)} != expected {len(expected)}"]
        pairs = zip(expected, got, strict=True)
        return [one for index, pair in enumerate(pairs) for one in self.compare(*pair, f"{path}[{index}]")]

    def matches(self, expected: str, got: Json) -> bool:
        if self.placeholder.search(expected) is None:
            return False
        if self.placeholder.fullmatch(expected):
            return got is not None and not isinstance(got, dict | list)
        pattern = ".+?".join(re.escape(part) for part in self.placeholder.split(expected))
        return isinstance(got, str) and re.fullmatch(pattern, got, re.DOTALL) is not None

    def texts(self, expected: Json, got: Json, path: str) -> list[str]:
        found = self.compare(expected, got, path)
        first, second = _object(expected), _object(got)
        return self.compare(first, second, path) if found and first is not None and second is not None else found


def _below(path: str, key: str) -> str:
    return f"{path}.{key}" if _PLAIN_KEY.fullmatch(key) else f"{path}[{json.dumps(key)}]"


def _shown(value: Json) -> str:
    return json_text(value)[:300]


def _object(text: Json) -> Json:
    try:
        found = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def differences(case: dict[str, Any], got: dict[str, Json]) -> dict[str, list[str]]:
    """Part -> what differs in it; an empty list is agreement."""
    expected, comparison = case["expected"], Comparison(case)
    if "status" not in expected:
        return _definition_differences(expected, got, comparison)
    found = {"status": comparison.compare(expected["status"], got.get("status"), "status")}
    if "output" in expected:
        missing = ["output: missing"]
        found["output"] = (
            comparison.compare(expected["output"], got["output"], "output") if "output" in got else missing
        )
    found["error"] = comparison.compare(expected.get("error"), got.get("error"), "error")
    found["cause"] = comparison.texts(expected.get("cause"), got.get("cause"), "cause")
    if "states_entered" in expected:
        entered = got.get("states_entered", [])
        ordered = expected["states_entered_order"] == "exact"
        entered = entered if ordered else sorted(entered)
        found["states_entered"] = comparison.compare(expected["states_entered"], entered, "states_entered")
    everywhere = Comparison(case, fuzzy=True)
    for part, recorded in (("trace", case), ("evaluation_failed", expected)):
        if part in recorded:
            found[part] = everywhere.compare(recorded[part], got.get(part), part)
    return found


def answer_differences(case: dict[str, Any], got: dict[str, Json]) -> dict[str, list[str]]:
    """The same for an answer of TestState, which has other parts in each case."""
    expected, comparison = case["expected"], Comparison(case)
    found = {name: [f"{name}: missing"] for name in expected if name not in got}
    found.update({name: [f"{name}: unexpected {_shown(got[name])}"] for name in got if name not in expected})
    for name in expected.keys() & got.keys():
        found[name] = comparison.texts(expected[name], got[name], name)
    return found


def _definition_differences(
    expected: dict[str, Json], got: dict[str, Json], comparison: Comparison
) -> dict[str, list[str]]:
    found = {"accepted": comparison.compare(expected["accepted"], got["accepted"], "accepted")}
    if "variableReferences" in expected:
        read = {name: sorted(names) for name, names in expected["variableReferences"].items()}
        found["variableReferences"] = comparison.compare(read, got.get("variableReferences"), "variableReferences")
    return found
