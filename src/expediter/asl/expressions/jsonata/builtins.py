"""The built-in functions of JSONata, each with a limit on what it reads and makes.

Some functions of the library may take too long, or use Python's own regular expressions. These are written again here.
``$eval`` is missing, as on AWS. The functions that need the time or randomness take them from the event
(``functions``).
"""

import math
import re
from collections.abc import Callable, Hashable
from typing import Final, TypeAlias, final

from expediter.asl.expressions.intrinsics import identity
from expediter.asl.expressions.jsonata.library import Functions, Jsonata, jexception, utils
from expediter.asl.expressions.jsonata.limits import SIZE, Meter, refused, too_large
from expediter.asl.expressions.jsonata.pictures import (
    format_integer,
    format_number,
    parse_integer,
    read_time,
    write_time,
)
from expediter.asl.expressions.regular_expressions import Match, Pattern
from expediter.asl.protocol import Json

Function: TypeAlias = Callable[..., Json]

#: Steps of a function call: the library compares the arguments with the signature.
_CALL: Final = 5


def meter() -> Meter:
    """The meter of the evaluation under way."""
    found: Meter = Jsonata.CURRENT.jsonata.meter
    return found


@final
class Builtin(Jsonata.JFunction):  # type: ignore[misc]  # the library ships no types
    """A function of the library. It spends steps for what it reads and makes."""

    def __init__(self, native: Jsonata.JNativeFunction, function: Function) -> None:
        super().__init__(None, None)
        self.signature, self.function_name, self.arity = native.signature, native.function_name, native.nargs
        self.function = function

    def get_number_of_args(self) -> int:
        return int(self.arity)

    def validate(self, args: list[Json], context: Json) -> Json:
        # The library compares every member of an array with the signature.
        meter().spend(sum(len(value) for value in args if isinstance(value, list)) // 2)
        return super().validate(args, context)

    def call(self, input: Json, args: list[Json]) -> Json:  # noqa: ARG002  # as the library calls it
        used = meter()
        used.spend(_CALL)
        for value in args:
            used.weigh(value)
        result = Functions._call(self.function, self.arity, args)  # noqa: SLF001  # fills up what is missing
        used.weigh(result)
        return result


@final
class Counted(Jsonata.JLambda):  # type: ignore[misc]  # the library ships no types
    """A function of ours. It spends steps for what it reads and makes."""

    def call(self, input: Json, args: list[Json]) -> Json:
        used = meter()
        used.spend(_CALL)
        for value in args:
            used.weigh(value)
        result = super().call(input, args)
        used.weigh(result)
        return result


def _pad(text: Json, width: Json, filling: Json = None) -> Json:
    if utils.Utils.is_numeric(width) and abs(width) > SIZE:
        raise too_large()
    return Functions.pad(text, width, filling)


def _distinct(values: Json) -> Json:
    if not isinstance(values, list) or len(values) < 2:
        return values
    found: dict[Hashable, Json] = {}
    for value in values:
        found.setdefault(identity(value), value)
    if isinstance(values, utils.Utils.JList):
        return utils.Utils.create_sequence_from_iter(found.values())
    return list(found.values())


def _sort(values: Json, comes_after: Json) -> Json:
    if isinstance(values, list) and len(values) > 1:
        meter().spend(len(values))
        kinds = {str if isinstance(value, str) else utils.Utils.is_numeric(value) for value in values}
        if comes_after is None and kinds not in ({str}, {True}):
            raise refused("$sort without a function sorts numbers, or strings.")
    return Functions.sort(values, comes_after)


def _spread(value: Json) -> Json:
    if isinstance(value, list):
        meter().spend(len(value) ** 2 // 4_000)  # each member copies those before it
    return Functions.spread(value)


def _replace(text: Json, pattern: Json, replacement: Json, limit: Json = None) -> Json:
    if text is None:
        return None
    if not isinstance(text, str) or pattern == "" or (limit is not None and limit < 0):
        raise refused(
            "$replace takes a text, what to look for (not an empty string), and a limit that is not negative."
        )
    most = None if limit is None else math.ceil(limit)
    if isinstance(pattern, Pattern):
        return pattern.sub(_writer(replacement), text, most)
    if not isinstance(replacement, str):
        raise refused("$replace takes a function only with a regular expression.")
    pieces = text.split(pattern, -1 if most is None else most)
    whole = _filled(replacement, (pattern,))
    meter().spend(len(pieces) // 8)
    if len(text) + (len(pieces) - 1) * len(whole) > 2 * SIZE:
        raise too_large()
    return whole.join(pieces)


def _writer(replacement: Json) -> Callable[[Match], str]:
    """The function from a match to its replacement."""
    made = 0

    def write(match: Match) -> str:
        nonlocal made
        if isinstance(replacement, str):
            written = _filled(replacement, (match.group(), *match.groups()))
        else:
            written = Functions.func_apply(replacement, [Functions.to_jsonata_match(match)])
        if not isinstance(written, str):
            raise jexception.JException("D3012", -1)
        made += len(written)
        if made > SIZE:
            raise too_large()
        return written

    return write


def _filled(replacement: str, groups: tuple[str | None, ...]) -> str:
    """``$0`` is the match, ``$1`` its first group (as many digits as there are groups), ``$$`` a dollar sign."""
    most = len(groups) - 1

    def fill(found: re.Match[str]) -> str:
        digits = found[1]
        if digits == "$":
            return "$"
        length = len(str(most))
        while length > 1 and int(digits[:length]) > most:
            length -= 1
        number = int(digits[:length])
        return ((groups[number] or "") if number <= most else "") + digits[length:]

    return re.sub(r"\$(\$|[0-9]{1,9})", fill, replacement)


#: Functions that are written again here, or whose arguments are checked before the library runs them.
_OWN: Final[dict[str, Function]] = {
    "pad": _pad,
    "distinct": _distinct,
    "sort": _sort,
    "spread": _spread,
    "replace": _replace,
    "formatNumber": format_number,
    "formatInteger": format_integer,
    "parseInteger": parse_integer,
    "fromMillis": write_time,
    "toMillis": read_time,
}
#: Functions of the library that would evaluate text, or use the machine's clock and randomness.
_MISSING: Final = frozenset({"eval", "now", "millis", "random", "shuffle"})

BUILTINS: Final[dict[str, Builtin]] = {
    name: Builtin(native, _OWN.get(name, native.method))
    for name, native in Jsonata.static_frame.bindings.items()
    if name not in _MISSING
}
