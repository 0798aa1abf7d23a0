"""``${Name}`` in a definition: a place that SAM, CloudFormation or the Serverless Framework fills at deployment.

AWS never gets one, so it has no rule for them. A definition is checked as if each were filled. A task's Resource that
is only ``${Name}`` is the task ``Name``. Where a value of another form is needed, a stand-in is used.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from expediter.asl.protocol import Json

PLACEHOLDER = re.compile(r"\$\{([^${}]+)\}")
#: Names whose values CloudFormation itself knows.
_PSEUDO = {"AWS::Partition": "aws", "AWSPartition": "aws", "AWS::Region": "us-east-1", "AWS::AccountId": "111111111111"}
_NUMBERS = frozenset(
    "TimeoutSeconds HeartbeatSeconds Seconds MaxConcurrency ToleratedFailureCount ToleratedFailurePercentage MaxItems "
    "MaxItemsPerBatch MaxInputBytesPerBatch IntervalSeconds MaxAttempts BackoffRate MaxDelaySeconds".split()
)
_INSTANT = "2026-01-01T00:00:00Z"
#: The stand-in for a field whose whole value is a placeholder.
_STAND_INS: dict[str, Json] = {
    **dict.fromkeys(_NUMBERS, 1),
    "Timestamp": _INSTANT,
    "QueryLanguage": "JSONPath",
    "Mode": "INLINE",
    "ExecutionType": "STANDARD",
    "JitterStrategy": "NONE",
    "InputType": "JSON",
    "Transformation": "NONE",
    "ManifestType": "S3_INVENTORY",
    "CSVHeaderLocation": "FIRST_ROW",
    "CSVDelimiter": "COMMA",
    "OutputType": "JSON",
    "Items": [],
    "Condition": True,
}
#: Fields whose content is data, which is passed on as it is.
_DATA = frozenset("Parameters Arguments Result ResultSelector ItemSelector BatchInput Assign Output".split())
_NAMES = frozenset({"Resource", "FunctionName"})


def substitute(definition: Json, values: Mapping[str, str]) -> Json:
    """The definition with each ``${Name}`` that ``values`` names replaced, anywhere in a text.

    Where the language needs a number, a value that is the text of a number becomes one.
    """

    def change(key: str, text: str) -> Json:
        filled_in = PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)
        return int(filled_in) if key in _NUMBERS and filled_in != text and filled_in.isdecimal() else filled_in

    return _texts(definition, lambda key, text, _data: change(key, text))


#: A string, or a placeholder where JSON has a value.
_VALUE = re.compile(r'"(?:[^"\\]|\\.)*"|\$\{[^${}"]+\}', re.DOTALL)


def quoted(text: str) -> str:
    """JSON text with quotes around each ``${Name}`` that stands where a value does (``"Seconds": ${Seconds}``)."""
    return _VALUE.sub(lambda found: found[0] if found[0][0] == '"' else f'"{found[0]}"', text)


def names_left(definition: Json) -> tuple[str, ...]:
    """The names of the placeholders in a definition, in the order in which they stand there."""
    return tuple(dict.fromkeys(_found(definition)))


def filled(definition: Json) -> Json:
    """The definition as it is checked and run: with a stand-in wherever the language needs a value of a certain
    form."""
    return _texts(definition, _stand_in)


def _found(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield from PLACEHOLDER.findall(value)
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _found(item)


#: Given: the key of a text, the text, and whether it is part of data.
Change: TypeAlias = Callable[[str, str, bool], Json]


def _texts(value: Json, change: Change, key: str = "", *, data: bool = False) -> Json:
    """A copy in which every text is what ``change`` makes of it."""
    if isinstance(value, str):
        return change(key, value, data)
    if isinstance(value, list):
        return [_texts(item, change, key, data=data) for item in value]
    if isinstance(value, dict):
        named = key == "States" and not data  # the keys are names of states
        return {
            name: _texts(item, change, name, data=data or (name in _DATA and not named)) for name, item in value.items()
        }
    return value


def _stand_in(key: str, text: str, data: bool) -> Json:
    whole = PLACEHOLDER.fullmatch(text)
    if whole is None:
        code = key == "Resource" or key.endswith((".$", "Path")) or key == "Variable" or text.startswith("{%")
        return PLACEHOLDER.sub(_word, text) if code else text
    if key in _NAMES:
        return whole[1]
    return text if data else _compared(key) if key.startswith(_COMPARED) else _STAND_INS.get(key, text)


_COMPARED = ("Numeric", "Boolean", "Timestamp", "Is")


def _compared(operator: str) -> Json:
    """What the operator of a Choice compares with."""
    if operator.endswith("Path"):
        return "$.placeholder"
    if operator.startswith("Timestamp"):
        return _INSTANT
    return 1 if operator.startswith("Numeric") else True


def _word(found: re.Match[str]) -> str:
    """What can stand inside an ARN, a path or an expression."""
    if found.string[: found.start()] == "arn:":
        return "aws"
    return _PSEUDO.get(found[1]) or re.sub(r"\W", "_", found[1])
