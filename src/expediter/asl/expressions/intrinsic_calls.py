"""Compiles ``States.Format('{} of {}', $.a, States.MathAdd($.b, 1))`` to a function.

Arguments are strings in single quotes, numbers, true, false, null, paths and further calls. In a string, a backslash
escapes ``'``, ``{``, ``}`` and itself; before anything else it is a fault (AWS refuses the definition).
"""

import re
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from expediter.asl.errors import INTRINSIC, PathInvalid, StateFailure
from expediter.asl.expressions.intrinsics import INTRINSICS, BadArgument
from expediter.asl.expressions.measured import FEW, made
from expediter.asl.expressions.paths import NESTED, Path, compile_path
from expediter.asl.expressions.scope import Scope
from expediter.asl.protocol import Json
from expediter.asl.texts import PAYLOAD_LIMIT, did_you_mean

Argument: TypeAlias = Callable[[Json, Scope], Json]

_NAME = re.compile(r"\s*(States\.\w+)\s*\(")
_STRING = re.compile(r"'((?:[^'\\]|\\['\\{}])*)'")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_WORD = re.compile(r"true|false|null")
_WORDS: dict[str, Json] = {"true": True, "false": False, "null": None}
_ESCAPED = re.compile(r"\\(.)")
_PLACE = re.compile(r"(?<!\\)\{\}")
_SPACE = re.compile(r"\s*")


class IntrinsicCall(NamedTuple):
    """A compiled call, with the paths it reads."""

    text: str
    get: Argument
    paths: tuple[Path, ...]


def compile_call(text: str) -> IntrinsicCall:
    """Compile one intrinsic function call; raises PathInvalid with a reason."""
    parser = _Parser(text)
    get = parser.call()
    if text[parser.at :].strip():
        raise PathInvalid(f"Unexpected text after the call: {text[parser.at :]}")
    return IntrinsicCall(text, get, tuple(parser.paths))


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0
        self.paths: list[Path] = []

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self.text, self.at)
        if found is not None:
            self.at = found.end()
        return found

    def call(self) -> Argument:
        start = self.at
        name = self.match(_NAME)
        if name is None or name[1] not in INTRINSICS:
            near = "" if name is None else did_you_mean(name[1], INTRINSICS)
            raise PathInvalid(f"Not an intrinsic function: {self.text[start:]}{near}")
        self.depth += 1
        if self.depth > NESTED:
            raise PathInvalid(f"More than {NESTED} calls inside each other")
        arguments = self.arguments(templated=name[1] == "States.Format")
        self.depth -= 1
        function = INTRINSICS[name[1]]
        if not function.least <= len(arguments) <= function.most:
            raise PathInvalid(f"Wrong number of arguments for {name[1]}: {len(arguments)}")
        return _caller(function.call, tuple(arguments), self.text[start : self.at].strip())

    def arguments(self, *, templated: bool) -> list[Argument]:
        found: list[Argument] = []
        self.match(_SPACE)
        if templated and (string := self.match(_STRING)):
            # Cut at each {} before unescaping: an escaped brace is text.
            found.append(_constant(tuple(_ESCAPED.sub(r"\1", piece) for piece in _PLACE.split(string[1]))))
            self.match(_SPACE)
        while not self.text.startswith(")", self.at):
            if found:
                self.comma()
            found.append(self.argument())
            self.match(_SPACE)
        self.at += 1
        return found

    def comma(self) -> None:
        if not self.text.startswith(",", self.at):
            raise PathInvalid(f"Expected ',' or ')' at '{self.text[self.at :]}'")
        self.at += 1
        self.match(_SPACE)

    def argument(self) -> Argument:
        if string := self.match(_STRING):
            return _constant(_ESCAPED.sub(r"\1", string[1]))
        if self.text.startswith("States.", self.at):
            return self.call()
        if self.text.startswith("$", self.at):
            return self.path()
        if number := self.match(_NUMBER):
            return _constant(float(number[0]) if any(char in number[0] for char in ".eE") else int(number[0]))
        if word := self.match(_WORD):
            return _constant(_WORDS[word[0]])
        raise PathInvalid(f"Not an argument: '{self.text[self.at :]}'")

    def path(self) -> Argument:
        """A path ends at the first comma or closing parenthesis outside its own brackets."""
        start, depth = self.at, 0
        while self.at < len(self.text):
            char = self.text[self.at]
            opens = char in "[(" and not (char == "(" and depth == 0 and not self.text.startswith("()", self.at))
            if depth == 0 and char in ",)":
                break
            depth += opens - (char in "])")
            self.at += 1
        path = compile_path(self.text[start : self.at].strip())
        self.paths.append(path)
        return path.get


def _constant(value: Json) -> Argument:
    return lambda _value, _scope: value


def _caller(function: Callable[..., Json], arguments: tuple[Argument, ...], text: str) -> Argument:
    many = len(arguments) > FEW

    def call(value: Json, scope: Scope) -> Json:
        found = made(arguments, value, scope) if many else [argument(value, scope) for argument in arguments]
        scope.pause()
        try:
            result = function(scope.draw(), *found)
            if isinstance(result, str) and len(result) > PAYLOAD_LIMIT:
                raise BadArgument(f"it makes more than {PAYLOAD_LIMIT} characters")
            return result
        except (BadArgument, ArithmeticError, RecursionError) as error:
            message = f"The function '{text}' had the following error: {error}"
            raise StateFailure(INTRINSIC, message, located=True) from error

    return call
