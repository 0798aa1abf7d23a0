"""Where a text is not JSON, or is JSON that says two things at once."""

import json
import re
from typing import NamedTuple

from expediter.asl.texts import decode_unique


class JsonFault(NamedTuple):
    """What is wrong, and at which character of the text."""

    offset: int
    reason: str


def json_fault(text: str) -> JsonFault | None:
    """The first fault of a text that has one. None: its place is not known, as when it is nested too deep."""
    try:
        decode_unique(text)
    except json.JSONDecodeError as error:
        return JsonFault(error.pos, f"not JSON: {error.msg}")
    except ValueError:
        return _ambiguous(text)
    except RecursionError:
        return None
    return None


#: A string and the colon behind it that makes it a key, the ends of an object, or a number that only Python has.
_TOKEN = re.compile(r'("(?:[^"\\]|\\.)*")(\s*:)?|[{}]|NaN|-?Infinity', re.DOTALL)


def _ambiguous(text: str) -> JsonFault | None:
    """The second of two equal keys of an object, or a word that is not a value of JSON, whichever comes first."""
    objects: list[set[str]] = []
    for token in _TOKEN.finditer(text):
        if token[0] == "{":
            objects.append(set())
        elif token[0] == "}":
            objects.pop()
        elif token[1] is None:
            return JsonFault(token.start(), f"not JSON: {token[0]} is no value of JSON")
        elif token[2] is not None:
            key = json.loads(token[1])
            if key in objects[-1]:
                return JsonFault(token.start(), f"The key '{key}' is given twice in one object")
            objects[-1].add(key)
    return None


def same_length(text: str) -> str:
    """JSON text in which a placeholder that stands where a value does is its name in quotes, of the same length."""
    return _BARE.sub(lambda found: found[0] if found[0][0] == '"' else f'"{found[1]}" ', text)


_BARE = re.compile(r'"(?:[^"\\]|\\.)*"|\$\{([^${}"]+)\}', re.DOTALL)
