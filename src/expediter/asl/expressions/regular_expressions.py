"""Regular expressions that read any text only once: those of RE2, for JSONPath filters and for JSONata.

RE2 has no way to look around or to refer back to a group, because neither can be had in linear time. An expression
with one is refused when the definition is loaded. Source: https://github.com/google/re2/wiki/Syntax
"""

import re
from collections.abc import Callable, Iterator
from typing import Final, Protocol, final

import re2

from expediter.asl.errors import PathInvalid

#: States of the compiled expression at most: one with counted repetition inside another has thousands.
_PROGRAM: Final = 2_000
_CODE_POINT: Final = re.compile(r"\\u([0-9A-Fa-f]{4})")
#: What RE2 does not support, and its usual name.
_UNKNOWN: Final = {
    r"\(\?=": "a lookahead (?=…)",
    r"\(\?!": "a negative lookahead (?!…)",
    r"\(\?<=": "a lookbehind (?<=…)",
    r"\(\?<!": "a negative lookbehind (?<!…)",
    r"\(\?>": "an atomic group (?>…)",
    r"\\[1-9]": "a reference back to a group, as \\1",
    r"\\k<": "a reference back to a group, as \\k<name>",
}


class Match(Protocol):
    """One match of a regular expression."""

    def group(self) -> str: ...

    def groups(self) -> tuple[str | None, ...]: ...

    def start(self) -> int: ...

    def end(self) -> int: ...


class Program(Protocol):
    """What RE2 compiles a regular expression to."""

    #: The number of its states: reading a character takes as long, at worst.
    programsize: int

    def finditer(self, text: str) -> Iterator[Match]: ...

    def fullmatch(self, text: str) -> Match | None: ...


@final
class Pattern:
    """A compiled regular expression. ``spend`` is called with the steps that reading a text takes, and may raise."""

    def __init__(self, text: str, program: Program, spend: Callable[[int], None]) -> None:
        self.text = text
        self._program = program
        self._spend = spend
        self._states = program.programsize

    def finditer(self, text: str) -> Iterator[Match]:
        self._spend(1 + len(text) * self._states // 512)
        for match in self._program.finditer(text):
            # After a match, all the rest of the text may be read.
            self._spend(1 + (len(text) - match.end()) * self._states // 16_384)
            yield match

    def search(self, text: str) -> Match | None:
        return next(self.finditer(text), None)

    def split(self, text: str) -> list[str]:
        """The text between the matches."""
        pieces, end = [], 0
        for match in self.finditer(text):
            pieces.append(text[end : match.start()])
            end = match.end()
        return [*pieces, text[end:]]

    def sub(self, replace: Callable[[Match], str], text: str, count: int | None = None) -> str:
        """The text with what ``replace`` makes of each match, or of the first ``count``."""
        pieces, end = [], 0
        for number, match in enumerate(self.finditer(text)):
            if number == count:
                break
            pieces += [text[end : match.start()], replace(match)]
            end = match.end()
        return "".join([*pieces, text[end:]])


def compile_linear(pattern: str, *, ignore_case: bool = False, lines: bool = False) -> Program:
    """``lines``: ^ and $ stand for the ends of lines, as with JavaScript's ``m``. Raises PathInvalid."""
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = not ignore_case
    # JavaScript's \\uXXXX is \\x{XXXX} here, and its \\/ a plain slash.
    written = _CODE_POINT.sub(r"\\x{\1}", pattern).replace(r"\/", "/")
    prefix = "(?m)" if lines else ""
    try:
        program: Program = re2.compile(prefix + written, options)
    except re2.error as error:
        raise PathInvalid(f"the regular expression /{pattern}/ has {_fault(pattern, error)}") from error
    if program.programsize > _PROGRAM:
        raise PathInvalid(f"the regular expression /{pattern}/ is too large: it repeats too much")
    return program


def _fault(pattern: str, error: Exception) -> str:
    for form, name in _UNKNOWN.items():
        if re.search(r"(?<!\\)(?:\\\\)*" + form, pattern):
            return f"{name}: there is none here, because it would not run in linear time"
    reason = error.args[0] if error.args else ""
    return f"a fault: {reason.decode(errors='replace') if isinstance(reason, bytes) else reason}"
