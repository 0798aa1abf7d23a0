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

    def fill(text: str) -> str:
        return PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)

    def change(key: str, text: str, data: bool) -> Json:
        filled_in = fill(text)
        return filled_in if data or filled_in == text else _of_its_type(key, filled_in)

    return _texts(definition, change, name=fill)


_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)


def _of_its_type(key: str, text: str) -> Json:
    """A text that was filled in, as the number or the boolean that the field needs."""
    compares = key.startswith(_COMPARED) and not key.endswith("Path")
    if (key in _NUMBERS or (compares and key.startswith("Numeric"))) and _NUMBER.fullmatch(text):
        return float(text) if "." in text else int(text)
    if (key == "End" or (compares and key.startswith(("Boolean", "Is")))) and text in {"true", "false"}:
        return text == "true"
    return text


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
        for item in value:  # of an object: the keys, which may be names of states
            yield from _found(item)
        for item in value.values() if isinstance(value, dict) else ():
            yield from _found(item)


#: Given: the key of a text, the text, and whether it is part of data.
Change: TypeAlias = Callable[[str, str, bool], Json]


def _texts(value: Json, change: Change, key: str = "", *, data: bool = False, name: Callable[[str], str] = str) -> Json:
    """A copy in which every text is what ``change`` makes of it, and every key what ``name`` makes of it."""
    if isinstance(value, str):
        return change(key, value, data)
    if isinstance(value, list):
        return [_texts(item, change, key, data=data, name=name) for item in value]
    if isinstance(value, dict):
        named = key == "States" and not data  # the keys are names of states
        return {
            name(field): _texts(item, change, field, data=data or (field in _DATA and not named), name=name)
            for field, item in value.items()
        }
    return value


def _stand_in(key: str, text: str, data: bool) -> Json:
    whole = PLACEHOLDER.fullmatch(text)
    if whole is not None:
        if key in _NAMES:
            return whole[1]
        if key.endswith((".$", "Path")) or (key == "Variable" and not data):
            return "$" if key in _WHOLE or key.endswith(".$") else "$.placeholder"
        return text if data else _compared(key) if key.startswith(_COMPARED) else _STAND_INS.get(key, text)
    if PLACEHOLDER.search(text) is None:
        return text
    if not data and (key in _NUMBERS or key.startswith("Timestamp")) and not key.endswith("Path"):
        return 1 if key in _NUMBERS else _INSTANT
    if key == "Resource" and not data:
        return _resource(PLACEHOLDER.sub(_word, text), text)
    if text.startswith("{%"):
        return PLACEHOLDER.sub(_operand, text)
    return PLACEHOLDER.sub(_word, text) if key.endswith((".$", "Path")) or key == "Variable" else text


#: Paths for which the whole input does.
_WHOLE = frozenset({"InputPath", "OutputPath", "ResultPath", "ItemsPath"})
_INTEGRATION = re.compile(r"arn:.*?:states:::(.*)", re.DOTALL)


def _resource(filled_in: str, text: str) -> str:
    """A plausible one: an integration whose service, action or way is not known yet is the best known."""
    named = _INTEGRATION.match(text)
    return "arn:aws:states:::lambda:invoke" if named and PLACEHOLDER.search(named[1]) else filled_in


def _operand(found: re.Match[str]) -> str:
    """What can stand inside a JSONata expression: a word in a text or in a name, and a value elsewhere."""
    before = found.string[2 : found.start()]
    in_text = before.count("'") % 2 or before.count('"') % 2 or before.count("`") % 2
    in_name = before[-1:] in {".", "$", "_"} or before[-1:].isalnum()
    return _word(found) if in_text or in_name else f"$states.input.{_word(found)}"


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
