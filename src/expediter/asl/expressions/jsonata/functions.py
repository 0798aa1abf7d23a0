"""The functions that Step Functions adds to JSONata, and those that take time and randomness from the event.

Source: "Transforming data with JSONata in Step Functions": $partition, $range, $hash, $random, $uuid, $parse; $eval is
not there. Each entry makes the function for one moment.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from expediter.asl.expressions.intrinsics import HASHES, RANGE_LIMIT, half_up
from expediter.asl.expressions.jsonata.library import jexception, utils
from expediter.asl.expressions.jsonata.pictures import write_time
from expediter.asl.expressions.scope import Draw
from expediter.asl.protocol import Json
from expediter.asl.texts import decode, is_number, plain


class Moment(NamedTuple):
    """The time at which an expression is evaluated, and its source of randomness."""

    at: int
    draw: Draw


def _refuse(reason: str) -> jexception.JException:
    error = jexception.JException("D3137", 0)
    error.args = (reason,)
    return error


def _partition(array: Json, size: Json) -> Json:
    if array is None:
        return None
    if not is_number(size) or half_up(size) <= 0:
        raise _refuse("the size of a partition must be a positive integer")
    items, step = list(array) if isinstance(array, list) else [array], half_up(size)
    return [items[start : start + step] for start in range(0, len(items), step)]


def _range(first: Json, last: Json, step: Json) -> Json:
    if not (is_number(first) and is_number(last) and is_number(step)) or step == 0:
        raise _refuse("a range takes three numbers, the last of them not 0")
    count = max(0, math.floor((last - first) / step) + 1)
    if count > RANGE_LIMIT:
        raise _refuse(f"a range has at most {RANGE_LIMIT} elements")
    # A sequence, as JSONata makes them: one element alone stands for itself.
    numbers = utils.Utils.create_sequence()
    numbers.extend(first + step * index for index in range(count))
    return numbers


def _hash(data: Json, algorithm: Json) -> Json:
    if not isinstance(algorithm, str) or algorithm not in HASHES:
        raise _refuse(f"the algorithm of a hash must be one of {', '.join(HASHES)}")
    return HASHES[algorithm](plain(data).encode())


def _parse(text: Json) -> Json:
    if text is None:
        return None
    try:
        found = decode(text)
    except (msgspec.DecodeError, TypeError) as error:
        raise _refuse(f"not JSON: {text}") from error
    return utils.Utils.NULL_VALUE if found is None else found


def _random(moment: Moment) -> Callable[..., Json]:
    def random(seed: Json = None) -> Json:
        if seed is None:
            return moment.draw.fraction("")
        if not is_number(seed):
            raise _refuse("the seed of a random number must be a number")
        return java_random(int(seed))

    return random


def java_random(seed: int) -> float:
    """The first number that ``java.util.Random(seed).nextDouble()`` returns, in [0, 1).

    Source: https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/util/Random.html (its ``next(bits)``).
    """
    state = (seed ^ 0x5DEECE66D) % 2**48
    state = (state * 0x5DEECE66D + 0xB) % 2**48
    high = state >> 22
    state = (state * 0x5DEECE66D + 0xB) % 2**48
    return float((high << 27) + (state >> 21)) / 2**53


def _shuffle(moment: Moment) -> Callable[..., Json]:
    def shuffle(array: Json) -> Json:
        if not isinstance(array, list):
            return array
        shuffled = list(array)
        # One draw for all, because each costs a hash. The others follow as java.util.Random's do.
        state = int(moment.draw.fraction("") * 2**48)
        for last in range(len(shuffled) - 1, 0, -1):
            state = (state * 0x5DEECE66D + 0xB) % 2**48
            chosen = (state >> 17) % (last + 1)
            shuffled[last], shuffled[chosen] = shuffled[chosen], shuffled[last]
        return shuffled

    return shuffle


def _now(moment: Moment) -> Callable[..., Json]:
    return lambda picture=None, zone=None: write_time(moment.at, picture, zone)


FUNCTIONS: dict[str, Callable[[Moment], Callable[..., Json]]] = {
    "partition": lambda _moment: _partition,
    "range": lambda _moment: _range,
    "hash": lambda _moment: _hash,
    "parse": lambda _moment: _parse,
    "random": _random,
    "shuffle": _shuffle,
    "uuid": lambda moment: moment.draw.uuid,
    "now": _now,
    "millis": lambda moment: lambda: moment.at,
}
