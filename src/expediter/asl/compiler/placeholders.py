"""``${Name}`` in a definition: a place that SAM, CloudFormation or the Serverless Framework fills at deployment.

AWS never sees one, so there is no rule for them. A definition is checked as if each were filled: a task's Resource that
is nothing but ``${Name}`` is the task ``Name``, and where something of another form is needed a stand-in is put in.
"""

import re
from collections.abc import Callable, Iterator, Mapping

from expediter.asl.protocol import Json

PLACEHOLDER = re.compile(r"\$\{([^${}]+)\}")
#: What CloudFormation itself knows the values of.
_PSEUDO = {"AWS::Partition": "aws", "AWSPartition": "aws", "AWS::Region": "us-east-1", "AWS::AccountId": "111111111111"}
_NUMBERS = frozenset(
    "TimeoutSeconds HeartbeatSeconds Seconds MaxConcurrency ToleratedFailureCount ToleratedFailurePercentage MaxItems "
    "MaxItemsPerBatch MaxInputBytesPerBatch IntervalSeconds MaxAttempts BackoffRate MaxDelaySeconds".split()
)
_NAMES = frozenset({"Resource", "FunctionName"})


def substitute(definition: Json, values: Mapping[str, str]) -> Json:
    """The definition with each ``${Name}`` that ``values`` names replaced, anywhere in a text."""
    return _texts(definition, lambda _key, text: PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text))


def names_left(definition: Json) -> tuple[str, ...]:
    """The names of the placeholders in a definition, in the order in which they stand there."""
    return tuple(dict.fromkeys(_found(definition)))


def filled(definition: Json) -> Json:
    """The definition as it is checked and run: with a stand-in wherever the language needs something of a form."""
    return _texts(definition, _stand_in)


def _found(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield from PLACEHOLDER.findall(value)
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _found(item)


def _texts(value: Json, change: Callable[[str, str], Json], key: str = "") -> Json:
    """A copy in which every text is what ``change`` makes of it; it is told under which key the text stands."""
    if isinstance(value, str):
        return change(key, value)
    if isinstance(value, list):
        return [_texts(item, change, key) for item in value]
    if isinstance(value, dict):
        return {name: _texts(item, change, name) for name, item in value.items()}
    return value


def _stand_in(key: str, text: str) -> Json:
    whole = PLACEHOLDER.fullmatch(text)
    if whole is None:
        code = key == "Resource" or key.endswith((".$", "Path")) or key == "Variable" or text.startswith("{%")
        return PLACEHOLDER.sub(_word, text) if code else text
    if key in _NUMBERS:
        return 1
    if key == "Timestamp":
        return "2026-01-01T00:00:00Z"
    return whole[1] if key in _NAMES else text


def _word(found: re.Match[str]) -> str:
    """What can stand inside an ARN, a path or an expression."""
    return _PSEUDO.get(found[1]) or re.sub(r"\W", "_", found[1])
