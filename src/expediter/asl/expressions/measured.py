"""Values of many parts, measured while they are made: a large input that stands a thousand times in a template would
become a value of hundreds of megabytes before anybody could say that it is too large.
"""

from collections.abc import Callable, Iterable

from expediter.asl.errors import DATA_LIMIT, StateFailure
from expediter.asl.expressions.scope import Scope
from expediter.asl.expressions.weights import COMPOSITE, NestedTooDeep, TooLarge, Weights
from expediter.asl.protocol import Json
from expediter.asl.texts import PAYLOAD_LIMIT

#: Up to so many parts are not measured: ordinary templates would take longer, and nothing would be gained.
FEW = 8
#: Bytes that many parts may have together: more than any value that leaves a state.
LARGEST = 4 * PAYLOAD_LIMIT


def made(parts: Iterable[Callable[[Json, Scope], Json]], value: Json, scope: Scope) -> list[Json]:
    """The values of many parts. Raises StateFailure as soon as they are too large together."""
    found: list[Json] = []
    size, weights = 0, Weights(LARGEST)
    for part in parts:
        scope.pause()
        found.append(part(value, scope))
        scope.pause()
        size += _size(found[-1], weights)
        if size > LARGEST:
            cause = f"The parts of a value have more than {LARGEST} bytes together."
            raise StateFailure(DATA_LIMIT, cause, located=True)
    return found


def _size(value: Json, weights: Weights) -> int:
    if isinstance(value, str):
        return len(value)
    if not isinstance(value, COMPOSITE):
        return 1
    try:
        return weights.of(value).size
    except (TooLarge, NestedTooDeep):
        return LARGEST + 1
