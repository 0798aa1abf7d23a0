"""What CloudFormation fills in at deployment: its intrinsic functions, as values where a template itself has them, and
elsewhere as the placeholder ``${Name}``.

Source: "Intrinsic function reference" of the AWS CloudFormation template reference.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from expediter.cli.commands.workflow.reading.values import Unreadable

_NO_VALUE = {"Ref": "AWS::NoValue"}
#: ``${Name}``, and ``${!Name}``, which is the literal text ``${Name}``.
_IN_SUB = re.compile(r"\$\{(!?)([^${}]+)\}")


def with_placeholders(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """The value with every intrinsic function as what it stands for. Raises Unreadable."""
    if isinstance(value, list):
        return [with_placeholders(item) for item in value if item != _NO_VALUE]
    if not isinstance(value, dict):
        return value
    name = intrinsic(value)
    if name is None:
        return {key: with_placeholders(item) for key, item in value.items() if item != _NO_VALUE}
    given = value[name]
    return _FUNCTIONS[name](given) if name in _FUNCTIONS else _placeholder(name, given)


def intrinsic(value: Any) -> str | None:  # noqa: ANN401 - any JSON
    """The intrinsic function that a value is a call of."""
    if not isinstance(value, dict) or len(value) != 1:
        return None
    name = str(next(iter(value)))
    return name if name == "Ref" or name.startswith("Fn::") else None


def as_text(value: Any) -> str:  # noqa: ANN401 - any JSON
    """The text that a value becomes inside another one. Raises Unreadable."""
    found = with_placeholders(value)
    return found if isinstance(found, str) else json.dumps(found)


def plain_values(substitutions: Any) -> dict[str, str]:  # noqa: ANN401 - any JSON
    """Of DefinitionSubstitutions those that the template says itself: texts, numbers and booleans."""
    given = substitutions if isinstance(substitutions, dict) else {}
    return {name: as_text(value) for name, value in given.items() if isinstance(value, str | bool | int | float)}


def _wrong(name: str, what: str) -> Unreadable:
    return Unreadable(f"{name} takes {what}")


def _placeholder(name: str, given: Any) -> str:  # noqa: ANN401 - any JSON
    """One for each call, named after the function and what it is given: ``${FindInMap.Regions.eu.Table}``."""
    words = re.findall(r"[\w:.-]+", json.dumps(with_placeholders(given), ensure_ascii=False))
    return "${" + ".".join([name.removeprefix("Fn::"), *words])[:100] + "}"


def _ref(given: Any) -> str:  # noqa: ANN401 - any JSON
    if not isinstance(given, str):
        raise _wrong("Ref", "the name of a parameter or resource")
    return f"${{{given}}}"


def _get_att(given: Any) -> str:  # noqa: ANN401 - any JSON
    parts = given.split(".", 1) if isinstance(given, str) else given
    if not isinstance(parts, list) or len(parts) != 2 or not isinstance(parts[0], str):
        raise _wrong("Fn::GetAtt", "the name of a resource and of an attribute")
    return f"${{{parts[0]}.{_bare(parts[1])}}}"


def _bare(value: Any) -> str:  # noqa: ANN401 - any JSON
    return re.sub(r"[${}]", "", as_text(value))


def _sub(given: Any) -> str:  # noqa: ANN401 - any JSON
    text, values = given if isinstance(given, list) and len(given) == 2 else (given, {})
    if not isinstance(text, str) or not isinstance(values, dict):
        raise _wrong("Fn::Sub", "a text, or a list of a text and an object of values")
    own: Mapping[str, str] = {name: as_text(value) for name, value in values.items()}
    return _IN_SUB.sub(lambda found: f"${{{found[2]}}}" if found[1] else own.get(found[2], found[0]), text)


def _join(given: Any) -> str:  # noqa: ANN401 - any JSON
    if not isinstance(given, list) or len(given) != 2 or not isinstance(given[0], str):
        raise _wrong("Fn::Join", "a delimiter and a list of values")
    delimiter, parts = given
    if intrinsic(parts):
        return _placeholder("Fn::Join", given)
    if not isinstance(parts, list):
        raise _wrong("Fn::Join", "a delimiter and a list of values")
    return str(delimiter).join(as_text(part) for part in parts)


def _select(given: Any) -> Any:  # noqa: ANN401 - any JSON
    if not isinstance(given, list) or len(given) != 2:
        raise _wrong("Fn::Select", "an index and a list")
    index, values = str(given[0]), given[1]
    if not index.isdecimal() or not isinstance(values, list):
        return _placeholder("Fn::Select", given)
    if int(index) >= len(values):
        raise Unreadable(f"Fn::Select has no value {index} in a list of {len(values)}")
    return with_placeholders(values[int(index)])


def _if(given: Any) -> str:  # noqa: ANN401 - any JSON
    if not isinstance(given, list) or len(given) != 3:
        raise _wrong("Fn::If", "a condition and two values")
    return _placeholder("Fn::If", given)


def _find_in_map(given: Any) -> str:  # noqa: ANN401 - any JSON
    if not isinstance(given, list) or len(given) not in {3, 4}:
        raise _wrong("Fn::FindInMap", "the name of a map and two keys")
    return _placeholder("Fn::FindInMap", given)


_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "Ref": _ref,
    "Fn::GetAtt": _get_att,
    "Fn::Sub": _sub,
    "Fn::Join": _join,
    "Fn::Select": _select,
    "Fn::If": _if,
    "Fn::FindInMap": _find_in_map,
    "Fn::ToJsonString": lambda given: json.dumps(with_placeholders(given)),
}
