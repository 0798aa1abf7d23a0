"""JSON (with comments, with a byte order mark) and YAML as the values that JSON has."""

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from expediter.asl import quoted
from expediter.asl.texts import decode_unique
from expediter.cli.commands.workflow.reading.json_faults import json_fault, same_length
from expediter.cli.files import whole_text

#: Comments outside strings.
_COMMENT = re.compile(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
#: Characters of a text that is read as YAML, which takes some 20 s and 400 MB at most for so many.
LARGEST_YAML = 1024 * 1024


class Place(NamedTuple):
    """Where in a text something is wrong: its offset in characters. ``file``: if it is not the file that was named."""

    text: str
    offset: int
    file: Path | None = None


class Unreadable(ValueError):
    """The file is not a definition, and holds none; says why, with line and column where they are known."""

    def __init__(self, reason: str, place: Place | None = None) -> None:
        super().__init__(reason)
        self.place = place


def text_of(path: Path) -> str:
    """The text of a file, without its byte order mark. Raises Unreadable."""
    try:
        return whole_text(path)
    except OSError as error:
        raise Unreadable(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise Unreadable(f"{path} cannot be read: {error}") from error


def parsed(text: str, values: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401 - any JSON
    """JSON with comments, or YAML. Raises Unreadable.

    ``values``: of placeholders, for those that stand in JSON without quotes.
    """
    if is_json(text):
        try:
            found = decode_unique(quoted(without_comments(text), values))
        except (ValueError, RecursionError) as error:
            raise _not_json(text, error) from error
        return as_json_has_it(found)
    return _yaml(text)


def is_json(text: str) -> bool:
    """Whether a text is read as JSON, with comments, and not as YAML."""
    return text.lstrip()[:1] in {"{", "["} or text.lstrip()[:2] in {"//", "/*"}


def _not_json(text: str, error: Exception) -> Unreadable:
    fault = json_fault(same_length(without_comments(text)))
    return Unreadable(f"not JSON: {error}") if fault is None else _at(text, fault.offset, fault.reason)


def _at(text: str, offset: int, reason: str) -> Unreadable:
    """What is wrong at a place of a text."""
    line, column = line_and_column(text, offset)
    return Unreadable(f"line {line}, column {column}: {reason}", Place(text, offset))


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Line and column, both from 1, of a place in a text."""
    lines = f"{text[:offset]}x".splitlines()
    return len(lines), len(lines[-1])


def offset_of(text: str, line: int, column: int) -> int:
    """The place in a text of a line and column, both from 1."""
    return sum(map(len, text.splitlines(keepends=True)[: line - 1])) + column - 1


def _yaml(text: str) -> Any:  # noqa: ANN401 - any JSON
    if len(text) > LARGEST_YAML:
        raise Unreadable("it is YAML of more than 1 MiB, the most that CloudFormation and Step Functions take")
    try:
        found = yaml.load(text, Loader)  # noqa: S506 - a SafeLoader
        if _values_in(found, {}) > _MOST:
            raise Unreadable(f"its aliases stand for more than {_MOST} values")
        return as_json_has_it(found)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _at(text, 0 if mark is None else mark.index, f"not YAML: {error.problem}") from error
    except yaml.reader.ReaderError as error:
        raise _at(text, error.position, f"not YAML: {error.reason}") from error
    except Unreadable:
        raise
    except (yaml.YAMLError, ValueError, AttributeError, RecursionError) as error:  # PyYAML's: !!timestamp x
        raise Unreadable(f"not YAML: {error}") from error


#: Values in values, as deep as any definition needs: what is deeper cannot be walked through.
_DEEPEST = 200


def as_json_has_it(value: Any, depth: int = 0) -> Any:  # noqa: ANN401 - any JSON
    """The same value. Raises Unreadable when it holds what JSON cannot hold."""
    if depth > _DEEPEST:
        raise Unreadable(f"its values are nested more than {_DEEPEST} deep")
    if isinstance(value, dict):
        return {_whole(key): as_json_has_it(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [as_json_has_it(item, depth + 1) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise Unreadable("it has a number that is not finite here")
    if isinstance(value, str):
        return _whole(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    raise Unreadable(f"JSON has no value of the kind {type(value).__name__}")


def _whole(text: str) -> str:
    """The same text. Half a surrogate pair, which no file can hold, is refused."""
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise Unreadable(f"{text!a} holds half of a surrogate pair")
    return text


#: Values that a YAML text may stand for: with aliases a short one may stand for billions.
_MOST = 1_000_000


def _values_in(value: Any, known: dict[int, int]) -> int:  # noqa: ANN401 - any JSON
    """How many values there are with every alias written out. ``known``: of those that were counted already."""
    if not isinstance(value, dict | list):
        return 1
    if id(value) not in known:
        inner = value.values() if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(_values_in(item, known) for item in inner)
    return known[id(value)]


def without_comments(text: str) -> str:
    """The same text with blanks where comments were, so that lines and columns stay."""
    return _COMMENT.sub(lambda found: found[0] if found[0][0] == '"' else re.sub(r"[^\n]", " ", found[0]), text)


# --- YAML --------------------------------------------------------------------------------------------------------


class Loader(yaml.SafeLoader):
    """YAML as JSON would be: no dates, no yes and no; CloudFormation's short forms as what they are short for."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - as the class that it replaces this of has it
        letter: [
            (tag, pattern)
            for tag, pattern in resolvers
            if not tag.endswith((":timestamp", ":value")) and (not tag.endswith(":bool") or letter in "tTfF")
        ]
        for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def _short_form(loader: Loader, suffix: str, node: yaml.Node) -> Any:  # noqa: ANN401 - any JSON
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    elif isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    else:
        value = None
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


def _unique_mapping(loader: Loader, node: yaml.MappingNode) -> dict[str, Any]:
    """Keys are the texts that are written: ``1`` and ``true`` would be one key as values."""
    seen: set[str] = set()
    for key, _ in node.value:
        if _key_text(key) in seen:
            raise yaml.constructor.ConstructorError(None, None, f"the key '{key.value}' is given twice", key.start_mark)
        seen.add(key.value)
    loader.flatten_mapping(node)
    return {_key_text(key): loader.construct_object(value, deep=True) for key, value in node.value}


def _key_text(key: yaml.Node) -> str:
    if not isinstance(key, yaml.ScalarNode):
        raise yaml.constructor.ConstructorError(None, None, "a key must be a text", key.start_mark)
    found: str = key.value
    return found


Loader.add_multi_constructor("!", _short_form)
Loader.add_constructor("tag:yaml.org,2002:map", _unique_mapping)
