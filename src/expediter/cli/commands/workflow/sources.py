"""Definitions as people keep them: JSON (with comments, with a byte order mark), YAML, and inside templates of SAM,
CloudFormation, the Serverless Framework and what the CDK writes.

``machines(path)`` gives every state machine of a file. What a template fills at deployment (``!Ref``, ``Fn::GetAtt`` …)
stands in the definition as the placeholder ``${Name}``.
"""

import json
import math
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from expediter.asl import quoted
from expediter.asl.texts import decode_unique
from expediter.cli.files import whole_text

_STATE_MACHINES = frozenset({"AWS::StepFunctions::StateMachine", "AWS::Serverless::StateMachine"})
#: Comments outside strings.
_COMMENT = re.compile(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|/\*.*?\*/', re.DOTALL)


class Unreadable(ValueError):
    """The file is no definition, and holds none; says why, with line and column where they are known."""


class Source(NamedTuple):
    """One state machine. ``name``: its name in a template, or "". ``place``: the keys that lead to it in the file.

    ``text``: the file, in which ``locate`` finds a fault. ``file``: the other file that a template names for it.
    """

    name: str
    definition: Any
    text: str
    place: tuple[str, ...] = ()
    file: Path | None = None


def machines(path: Path) -> list[Source]:
    """Every state machine in a file. Raises Unreadable."""
    text = text_of(path)
    document = parsed(text)
    if not isinstance(document, dict) or "States" in document or "StartAt" in document:
        return [Source("", document, text)]
    found = [*_cloudformation(document, text, path.parent), *_serverless(document, text)]
    return found or [Source("", document, text)]


def machine(path: Path, name: str | None) -> Source:
    """The one state machine of a file, or the one of that name. Raises Unreadable."""
    found = machines(path)
    if name is not None:
        chosen = [source for source in found if source.name == name]
        if not chosen:
            names = ", ".join(source.name for source in found if source.name) or "none that has a name"
            raise Unreadable(f"{path} has no state machine {name}. It has: {names}.")
        return chosen[0]
    if len(found) > 1:
        names = ", ".join(source.name for source in found)
        raise Unreadable(f"{path} has {len(found)} state machines. Choose one with --name: {names}.")
    return found[0]


def text_of(path: Path) -> str:
    """The text of a file, without its byte order mark. Raises Unreadable."""
    try:
        return whole_text(path)
    except OSError as error:
        raise Unreadable(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise Unreadable(f"{path} cannot be read: {error}") from error


def parsed(text: str) -> Any:  # noqa: ANN401 - any JSON
    """JSON with comments, or YAML. Raises Unreadable."""
    if text.lstrip()[:1] in {"{", "["} or text.lstrip()[:2] in {"//", "/*"}:
        try:
            return as_json_has_it(decode_unique(quoted(_without_comments(text))))
        except json.JSONDecodeError as error:
            raise Unreadable(f"line {error.lineno}, column {error.colno}: not JSON: {error.msg}") from error
        except (ValueError, RecursionError) as error:
            raise Unreadable(f"not JSON: {error}") from error
    try:
        found = yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader
        if _values_in(found, {}) > _MOST:
            raise Unreadable(f"its aliases stand for more than {_MOST} values")
        return as_json_has_it(found)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise Unreadable(f"{where}not YAML: {error.problem}") from error
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


def _without_comments(text: str) -> str:
    """The same text with blanks where comments were, so that lines and columns stay."""
    return _COMMENT.sub(lambda found: found[0] if found[0][0] == '"' else re.sub(r"[^\n]", " ", found[0]), text)


# --- YAML --------------------------------------------------------------------------------------------------------


class _Loader(yaml.SafeLoader):
    """YAML as JSON would be: no dates, no yes and no; CloudFormation's short forms as what they are short for."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - as the class that it replaces this of has it
        letter: [
            (tag, pattern)
            for tag, pattern in resolvers
            if not tag.endswith((":timestamp", ":value")) and (not tag.endswith(":bool") or letter in "tTfF")
        ]
        for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def _short_form(loader: _Loader, suffix: str, node: yaml.Node) -> Any:  # noqa: ANN401 - any JSON
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


def _unique_mapping(loader: _Loader, node: yaml.MappingNode) -> dict[str, Any]:
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


_Loader.add_multi_constructor("!", _short_form)
_Loader.add_constructor("tag:yaml.org,2002:map", _unique_mapping)


# --- templates ---------------------------------------------------------------------------------------------------


def _cloudformation(document: dict[str, Any], text: str, folder: Path) -> Iterator[Source]:
    resources = document.get("Resources")
    for name, resource in resources.items() if isinstance(resources, dict) else ():
        if not isinstance(resource, dict) or str(resource.get("Type")) not in _STATE_MACHINES:
            continue
        properties = resource.get("Properties")
        properties = properties if isinstance(properties, dict) else {}
        place = ("Resources", name, "Properties")
        if "Definition" in properties:
            yield Source(name, with_placeholders(properties["Definition"]), text, (*place, "Definition"))
        elif "DefinitionString" in properties:
            yield Source(name, parsed(_as_text(properties["DefinitionString"])), text, (*place, "DefinitionString"))
        elif isinstance(properties.get("DefinitionUri"), str):
            file = folder / properties["DefinitionUri"]
            inner = text_of(file)
            try:
                yield Source(name, parsed(inner), inner, file=file)
            except Unreadable as error:
                raise Unreadable(f"{file}: {error}") from error


def _serverless(document: dict[str, Any], text: str) -> Iterator[Source]:
    section = document.get("stepFunctions")
    listed = section.get("stateMachines") if isinstance(section, dict) else None
    for name, machine_ in listed.items() if isinstance(listed, dict) else ():
        if isinstance(machine_, dict) and isinstance(machine_.get("definition"), dict):
            place = ("stepFunctions", "stateMachines", name, "definition")
            yield Source(name, with_placeholders(machine_["definition"]), text, place)


def with_placeholders(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """The value with every intrinsic function of CloudFormation as the text that it stands for."""
    if isinstance(value, list):
        return [with_placeholders(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1 and next(iter(value)) in _INTRINSICS:
        return _as_text(value)
    return {key: with_placeholders(item) for key, item in value.items()}


_INTRINSICS = frozenset({"Ref", "Fn::GetAtt", "Fn::Sub", "Fn::Join", "Fn::ImportValue", "Fn::FindInMap", "Fn::Select"})


def _as_text(value: Any) -> str:  # noqa: ANN401 - any JSON
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and len(value) == 1:
        ((name, given),) = value.items()
        if name == "Fn::Sub" and isinstance(given, list) and given:
            return _as_text(given[0])
        if name == "Fn::Sub" and isinstance(given, str):
            return given
        if name == "Fn::Join" and isinstance(given, list) and len(given) == 2 and isinstance(given[1], list):
            return str(given[0]).join(_as_text(part) for part in given[1])
        if name == "Fn::GetAtt":
            return "${" + (".".join(map(str, given)) if isinstance(given, list) else str(given)) + "}"
        if name == "Ref":
            return f"${{{given}}}"
        return "${" + re.sub(r"\W+", "", name) + "}"
    return json.dumps(with_placeholders(value))


# --- where a fault is --------------------------------------------------------------------------------------------


class Location(NamedTuple):
    """Line and column in a file, both from 1."""

    line: int
    column: int


def locate(source: Source, path: str) -> Location | None:
    """Where the fault at this path (``States.Pay.Retry[0].ErrorEquals``) stands; the nearest place that is there."""
    node = _composed(source.text)
    mark = None if node is None else node.start_mark
    for key in source.place:
        node, mark = _entry(node, key) or (None, mark)
    if isinstance(node, yaml.ScalarNode) and node.style == "|":
        return _in_block(source, node, path)
    while node is not None and path:
        found = _step(node, path)
        if found is None:
            break
        node, mark, path = found
    return None if mark is None else Location(mark.line + 1, mark.column + 1)


@lru_cache(maxsize=4)
def _composed(text: str) -> yaml.Node | None:
    """The nodes of a text with their places; read once for all the faults of a file, as reading takes long."""
    try:
        node: yaml.Node | None = yaml.compose(_with_names(_without_comments(text)).replace("\t", " "), _Loader)
    except (yaml.YAMLError, RecursionError):
        return None
    return node


def _in_block(source: Source, node: yaml.ScalarNode, path: str) -> Location | None:
    """Where a fault stands in a definition that is the literal text (``|``) of a template."""
    inner = locate(Source("", None, node.value), path)
    lines = source.text.splitlines()
    line = node.start_mark.line + (inner.line if inner else 1)
    if inner is None or line >= len(lines):
        return inner and Location(node.start_mark.line + 1, node.start_mark.column + 1)
    written, meant = lines[line], node.value.splitlines()[inner.line - 1]
    return Location(line + 1, len(written) - len(meant) + inner.column)


def _with_names(text: str) -> str:
    """JSON text as YAML takes it: a placeholder where a value stands is its name, of the same length."""
    if not text.lstrip().startswith("{"):
        return text
    return _BARE.sub(lambda found: found[0] if found[0][0] == '"' else f'"{found[1]}" ', text)


_BARE = re.compile(r'"(?:[^"\\]|\\.)*"|\$\{([^${}"]+)\}', re.DOTALL)


def _entry(node: yaml.Node | None, key: str) -> tuple[yaml.Node, yaml.Mark] | None:
    for name, value in node.value if isinstance(node, yaml.MappingNode) else ():
        if name.value == key:
            return value, name.start_mark
    return None


def _step(node: yaml.Node, path: str) -> tuple[yaml.Node, yaml.Mark, str] | None:
    """One key or index further; names of states may hold dots, so the longest key that fits is taken."""
    if isinstance(node, yaml.SequenceNode):
        found = re.match(r"\[(\d+)\]\.?", path)
        if found is None or int(found[1]) >= len(node.value):
            return None
        item = node.value[int(found[1])]
        return item, item.start_mark, path[found.end() :]
    keys = [name.value for name, _ in node.value] if isinstance(node, yaml.MappingNode) else []
    fits = [key for key in keys if path == key or path.startswith((f"{key}.", f"{key}["))]
    entry = _entry(node, max(fits, key=len)) if fits else None
    return None if entry is None else (*entry, path[len(max(fits, key=len)) :].removeprefix("."))
