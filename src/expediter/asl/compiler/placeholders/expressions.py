"""What stands for a placeholder inside a path, a call of an intrinsic function or a JSONata expression.

Inside quotes it is a word, so the rest of the expression is judged. Elsewhere it may be any piece of the expression:
one that cannot be read with an operand in its place is not judged.
"""

import re
from collections.abc import Callable

from expediter.asl.compiler.placeholders.names import PLACEHOLDER
from expediter.asl.errors import PathInvalid
from expediter.asl.expressions.paths import compile_reference
from expediter.asl.expressions.templates import compile_path_or_call

#: Names whose values CloudFormation itself knows.
_PSEUDO = {"AWS::Partition": "aws", "AWSPartition": "aws", "AWS::Region": "us-east-1", "AWS::AccountId": "111111111111"}
#: Placeholders with nothing between them.
_RUN = re.compile(rf"(?:{PLACEHOLDER.pattern.replace('(', '(?:', 1)})+")


def word(found: re.Match[str]) -> str:
    """What can stand inside an ARN or a name."""
    if found.start() == len("arn:") and found.string.startswith("arn:"):
        return "aws"
    return PLACEHOLDER.sub(lambda one: _PSEUDO.get(one[1]) or re.sub(r"\W", "_", one[1]), found[0])


def path_text(text: str) -> str:
    """A path, or the call of an intrinsic function."""
    return _read(text, "'", "$", lambda done: compile_path_or_call(done, ""))


def reference_text(text: str) -> str:
    """A ResultPath."""
    return _read(text, "'", "$", compile_reference)


def jsonata_text(text: str) -> str:
    """A JSONata expression between ``{%`` and ``%}``."""
    from expediter.asl.expressions.jsonata.expression import compile_expression  # noqa: PLC0415  # slow to load

    return _read(text, "'\"`", "{% $states.input %}", compile_expression)


def _read(text: str, quotes: str, whole: str, compile_text: Callable[[str], object]) -> str:
    """The text with words and operands; ``whole`` where that cannot be read."""
    if _RUN.fullmatch(text):
        return whole
    operand = "$states.input." if text.startswith("{%") else ""
    pieces: list[str] = []
    end, quote, judged = 0, "", True
    for found in _RUN.finditer(text):
        before = text[end : found.start()]
        end, quote = found.end(), _quote_after(before, quote, quotes)
        judged = judged and quote != ""
        last = text[found.start() - 1 : found.start()]
        if quote or last in {".", "$", "_"} or last.isalnum():
            stand_in = word(found)
        else:
            stand_in = "0" if last == "[" else operand + word(found) if operand else "$"
            stand_in = "" if text.startswith("$", end) else stand_in
        pieces += [before, stand_in]
    done = "".join([*pieces, text[end:]])
    try:
        compile_text(done)
    except PathInvalid:
        return done if judged else whole
    return done


def _quote_after(text: str, quote: str, quotes: str) -> str:
    """The quote that is open after the text; ``quote``: the one that is open before it. "" is none."""
    for letter in re.sub(r"\\.", "", text):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in quotes:
            quote = letter
    return quote
