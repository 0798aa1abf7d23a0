"""Filters of a JSONPath: ``(@.price < 10 && @.name == 'x')`` to a predicate.

Grammar, loosest first: ``or := and ('||' and)*``, ``and := not ('&&' not)*``, ``not := '!' not | '(' or ')' | test``,
``test := operand [operator operand]``. An operand alone asks whether its path is there. Types never mix: a
comparison of different types is false (``!=`` is true), as in Jayway.
"""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from expediter.asl.errors import PathInvalid, PathMissing
from expediter.asl.expressions.path_brackets import closing
from expediter.asl.expressions.path_segments import CHARACTERS, DEFINITE, Looks, Predicate, Root, Segment, select
from expediter.asl.protocol import Json

if TYPE_CHECKING:
    from expediter.asl.expressions.regular_expressions import Program

_TOKEN = re.compile(
    r"""\s*(?:(?P<op>\|\||&&|==|!=|<=|>=|=~|<|>|!|\(|\)|\b(?:in|nin|subsetof|anyof|noneof|size|empty|contains)\b)
    |(?P<number>-?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?)|(?P<word>true|false|null)\b
    |(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?P<regex>/(?:[^/\\]|\\.)*/[a-z]*)
    |(?P<list>\[[^\]]*\])|(?P<path>(?=[@$]))|(?P<bare>[A-Za-z_][\w-]*))""",
    re.VERBOSE | re.DOTALL,
)
_WORDS: dict[str, Json] = {"true": True, "false": False, "null": None}
_ABSENT = object()
#: Parses the path in an operand, without its root: ``path_parser.parse_segments``.
ParsePath: TypeAlias = Callable[[str], tuple[Segment, ...]]
#: What ends a path outside its brackets.
_ENDS = frozenset(" \t\r\n=!<>&|)~")


def _kind(value: Json) -> str:
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


def _same(left: Json, right: Json) -> bool:
    return left is not _ABSENT and _kind(left) == _kind(right) and bool(left == right)


def _ordered(holds: Callable[[Json, Json], bool]) -> Callable[[Json, Json], bool]:
    def compare(left: Json, right: Json) -> bool:
        return _kind(left) == _kind(right) and _kind(left) in {"number", "str"} and holds(left, right)

    return compare


def _among(value: Json, choices: Json) -> bool:
    return isinstance(choices, list) and any(_same(value, choice) for choice in choices)


def _sized(value: Json, size: Json) -> bool:
    return isinstance(value, list | str) and len(value) == size


def _within(part: Json, text: Json) -> bool:
    return isinstance(text, str) and isinstance(part, str) and part in text


OPERATORS: dict[str, Callable[[Json, Json], bool]] = {
    "==": _same,
    "!=": lambda left, right: not _same(left, right),
    "<": _ordered(lambda left, right: left < right),
    "<=": _ordered(lambda left, right: left <= right),
    ">": _ordered(lambda left, right: left > right),
    ">=": _ordered(lambda left, right: left >= right),
    "=~": lambda left, right: isinstance(left, str) and right.fullmatch(left) is not None,
    "in": _among,
    "nin": lambda left, right: not _among(left, right),
    "contains": lambda left, right: _among(right, left) if isinstance(left, list) else _within(right, left),
    "subsetof": lambda left, right: isinstance(left, list) and all(_among(item, right) for item in left),
    "anyof": lambda left, right: isinstance(left, list) and any(_among(item, right) for item in left),
    "noneof": lambda left, right: isinstance(left, list) and not any(_among(item, right) for item in left),
    "size": _sized,
    "empty": lambda left, right: isinstance(left, list | str) and (len(left) == 0) is right,
}


class _Operand(NamedTuple):
    """A side of an operator: a path from the candidate (``@``) or from the root (``$``), or a constant."""

    read: Callable[[Json, Root], Json]
    is_path: bool


def _tokens(text: str) -> list[tuple[str, str]]:
    """The kind and the text of each token."""
    found: list[tuple[str, str]] = []
    at = 0
    while at < len(text.rstrip()):
        token = _TOKEN.match(text, at)
        if token is None or token.lastgroup is None:
            raise PathInvalid(f"Could not parse the filter at '{text[at:]}'")
        at = token.end() if token.lastgroup != "path" else _path_end(text, token.end())
        found.append((token.lastgroup, text[token.start(token.lastgroup) : at]))
    return found


def _path_end(text: str, at: int) -> int:
    """Where the path ends that begins at ``at``. In its brackets anything may stand."""
    at += 1
    while at < len(text) and text[at] not in _ENDS:
        if text[at] == "[":
            at = closing(text, at)
        at += 2 if text.startswith("()", at) else 1
    return at


class _Parser:
    def __init__(self, text: str, parse_path: ParsePath) -> None:
        self._parse_path = parse_path
        self.tokens = [*_tokens(text), ("end", "")]
        self.at = 0

    def take(self) -> tuple[str, str]:
        self.at += 1
        return self.tokens[self.at - 1]

    def accept(self, text: str) -> bool:
        accepted = self.tokens[self.at] == ("op", text)
        self.at += accepted
        return accepted

    def either(self) -> Predicate:
        parts = [self.both()]
        while self.accept("||"):
            parts.append(self.both())
        return lambda value, root: any(part(value, root) for part in parts)

    def both(self) -> Predicate:
        parts = [self.negated()]
        while self.accept("&&"):
            parts.append(self.negated())
        return lambda value, root: all(part(value, root) for part in parts)

    def negated(self) -> Predicate:
        negations = 0
        while self.accept("!"):
            negations += 1
        inner = self.group() if self.accept("(") else self.test()
        return (lambda value, root: not inner(value, root)) if negations % 2 else inner

    def group(self) -> Predicate:
        inner = self.either()
        if not self.accept(")"):
            raise PathInvalid("A ')' is missing in a filter")
        return inner

    def test(self) -> Predicate:
        left = self.operand()
        kind, text = self.tokens[self.at]
        if kind != "op" or text not in OPERATORS:
            if not left.is_path:
                raise PathInvalid("A filter compares something with a path")
            return lambda value, root: left.read(value, root) is not _ABSENT
        self.at += 1
        holds, right = OPERATORS[text], self.operand()
        return _comparison(left, holds, right)

    def operand(self) -> _Operand:
        kind, text = self.take()
        if kind == "path":
            return _Operand(_reader(text, self._parse_path(text[1:])), is_path=True)
        if kind not in _LITERALS:
            raise PathInvalid(f"Expected a value or a path in a filter, not '{text}'")
        constant = _LITERALS[kind](text)
        return _Operand(lambda _value, _root: constant, is_path=False)


def _comparison(left: _Operand, holds: Callable[[Json, Json], bool], right: _Operand) -> Predicate:
    def compare(value: Json, root: Root) -> bool:
        one, other = left.read(value, root), right.read(value, root)
        root.looks.spend(_size(one) * _size(other))
        return holds(one, other)

    return compare


def _size(value: Json) -> int:
    """Values that a comparison looks at: each member of a list may be compared with each of another."""
    if isinstance(value, str):
        return 1 + len(value) // CHARACTERS
    return 1 + len(value) if isinstance(value, list) else 1


def _regex(text: str) -> "Program":
    from expediter.asl.expressions.regular_expressions import (  # noqa: PLC0415  # RE2 is loaded where it is used
        compile_linear,
    )

    body, _, flags = text[1:].rpartition("/")
    return compile_linear(body, ignore_case="i" in flags)


def _items(text: str) -> list[Json]:
    return [_LITERALS[kind](item) for kind, item in _tokens(text[1:-1].replace(",", " ")) if kind in _LITERALS]


_LITERALS: dict[str, Callable[[str], Json]] = {
    "number": lambda text: float(text) if any(char in text for char in ".eE") else int(text),
    "word": lambda text: _WORDS[text],
    "text": lambda text: re.sub(r"\\(.)", r"\1", text[1:-1]),
    "bare": lambda text: text,  # a word without quotes is that text
    "regex": _regex,
    "list": _items,
}


def _reader(text: str, segments: tuple[Segment, ...]) -> Callable[[Json, Root], Json]:
    if text[0] == "@":
        return lambda value, root: _read(value, segments, root.looks)
    return lambda _value, root: _read(root.value, segments, root.looks)


def _read(value: Json, segments: tuple[Segment, ...], looks: Looks) -> Json:
    try:
        found = select(value, segments, looks)
    except PathMissing:  # a function of nothing
        return _ABSENT
    if all(isinstance(segment, DEFINITE) for segment in segments):
        return found[0] if found else _ABSENT
    return found


def compile_filter(text: str, parse_path: ParsePath) -> Predicate:
    """``(…)`` after the question mark, with or without the outer parentheses. Raises PathInvalid."""
    parser = _Parser(text, parse_path)
    predicate = parser.either()
    if parser.tokens[parser.at][0] != "end":
        raise PathInvalid(f"Could not parse the filter {text}")
    return predicate
