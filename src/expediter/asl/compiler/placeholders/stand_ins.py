"""What a definition is checked and run with while its placeholders have no value.

Nothing that depends on such a value is judged. A field that may be left out is left out. A field that must be there
gets a value of the right form. A task's Resource that is only ``${Name}`` is the task ``Name``. Where a placeholder
says which state comes next, that is a Fail state of its own, which may lead anywhere and whose cause names the
placeholder.
"""

from collections.abc import Callable
from typing import Any

from expediter.asl.compiler.placeholders.expressions import jsonata_text, path_text, reference_text, word
from expediter.asl.compiler.placeholders.names import COMPARED, DATA, NUMBERS, PLACEHOLDER
from expediter.asl.compiler.placeholders.resources import reader_resource, resource, writer_resource
from expediter.asl.protocol import Json

_TARGETS = frozenset({"Next", "Default", "StartAt"})
_INSTANT = "2026-01-01T00:00:00Z"
#: Fields that may be left out.
_OPTIONAL = NUMBERS - {"Seconds", "MaxItemsPerBatch", "MaxInputBytesPerBatch"} | set(
    "Retry JitterStrategy Credentials ItemReader ItemBatcher ResultWriter Label Assign CSVHeaderLocation CSVDelimiter "
    "Transformation OutputType ItemsPointer InputPath OutputPath ResultPath ItemsPath TimeoutSecondsPath "
    "HeartbeatSecondsPath MaxConcurrencyPath ToleratedFailureCountPath ToleratedFailurePercentagePath "
    "MaxItemsPath".split()
)
#: Of these only a text that is nothing but a placeholder is left out; a part of it may be judged.
_TEXTS = frozenset("InputPath OutputPath ResultPath ItemsPath".split())
#: The value of a field that must be there.
_FIXED: dict[str, Json] = {
    "Seconds": 1,
    "MaxItemsPerBatch": 1,
    "MaxInputBytesPerBatch": 262_144,
    "Timestamp": _INSTANT,
    "Mode": "INLINE",
    "ExecutionType": "STANDARD",
    "ManifestType": "S3_INVENTORY",
    "CSVHeaders": ["placeholder"],
    "WriterConfig": {},
    "ProcessorConfig": {},
    "Items": [],
    "Condition": True,
    "And": [{"Variable": "$", "IsPresent": True}],
    "Or": [{"Variable": "$", "IsPresent": True}],
    "Not": {"Variable": "$", "IsPresent": True},
}


def filled(definition: dict[str, Json]) -> tuple[dict[str, Json], frozenset[str]]:
    """The definition with its stand-ins, and the names of the states that are stand-ins and may lead anywhere."""
    filler = _Filler(jsonata=_is_jsonata(definition))
    return filler.machine(definition), frozenset(filler.open)


def _holds(value: Json) -> bool:
    return isinstance(value, str) and PLACEHOLDER.search(value) is not None


def _is_jsonata(machine: dict[str, Json]) -> bool:
    """The query language; where a placeholder says it, the one in which the states are written."""
    language = machine.get("QueryLanguage")
    if not _holds(language):
        return language == "JSONata"
    states = machine.get("States")
    specs = [spec for spec in (states.values() if isinstance(states, dict) else ()) if isinstance(spec, dict)]
    return any(map(_looks_jsonata, specs))


def _looks_jsonata(value: Json) -> bool:
    if isinstance(value, dict):
        return bool(value.keys() & {"Arguments", "Output", "Condition", "Items"}) or any(
            _looks_jsonata(item) for key, item in value.items() if key not in {"ItemProcessor", "Branches"}
        )
    if isinstance(value, list):
        return any(map(_looks_jsonata, value))
    return isinstance(value, str) and value.startswith("{%")


class _Filler:
    """One walk over a definition. ``open``: the stand-in states so far."""

    def __init__(self, *, jsonata: bool) -> None:
        self.machine_jsonata = jsonata
        self.open: set[str] = set()

    # --- machines and states

    def machine(self, spec: dict[str, Json]) -> dict[str, Json]:
        """A machine, a branch or an item processor."""
        states = spec.get("States")
        if _holds(states):
            states = {"placeholder": states}
            spec = {**spec, "StartAt": "placeholder", "States": states}
        if not isinstance(states, dict):
            return self.fields(spec, _Level({}, self))
        level = _Level(states, self)
        done = self.fields({field: value for field, value in spec.items() if field != "States"}, level)
        done["States"] = {name: self.state(state, level) for name, state in states.items()}
        done["States"].update(level.stand_ins)
        return {field: done[field] for field in [*spec, "States"] if field in done}

    def state(self, spec: Json, level: "_Level") -> Json:
        if _holds(spec):
            return {"Type": "Pass", "Next": level.open(spec)}
        if not isinstance(spec, dict):
            return spec
        if _holds(spec.get("Type")):
            return {"Type": "Pass", "Next": level.open(spec["Type"])}
        language = spec.get("QueryLanguage")
        level.jsonata = _looks_jsonata(spec) if _holds(language) else (language == "JSONata" or self.machine_jsonata)
        return self.fields(spec, level)

    def fields(self, spec: dict[str, Json], level: "_Level") -> dict[str, Json]:
        """An object of the language: each of its fields filled, or left out."""
        done: dict[str, Json] = {}
        for field, value in spec.items():
            if _holds(field) or (_holds(value) and _left_out(field, value, spec)):
                continue
            done[field] = self.field(field, value, spec, level)
        return done

    # --- one field

    def field(self, field: str, value: Json, spec: dict[str, Json], level: "_Level") -> Json:
        if field in _TARGETS and isinstance(value, str):
            return level.target(value)
        if _holds(value):
            return self.text(field, value, spec, level)
        if field in {"ItemProcessor", "Iterator"} and isinstance(value, dict):
            return self.machine(value)
        if field == "Branches" and isinstance(value, list):
            return [self.branch(branch, level) for branch in value]
        if field in {"Retry", "Catch", "Choices", "And", "Or"} and isinstance(value, list):
            return [entry for item in value for entry in self.entries(field, item, level)]
        if field in _STORES and isinstance(value, dict) and _holds(value.get("Resource")):
            value = {**value, "Resource": _STORES[field](value)}
        if field in DATA:
            return _data(_variables(value) if field == "Assign" else value)
        return self.fields(value, level) if isinstance(value, dict) else value

    def text(self, field: str, text: str, spec: dict[str, Json], level: "_Level") -> Json:
        """A text that has a placeholder, and whose field cannot be left out."""
        if field in {"Retry", "Catch", "Choices"}:
            return self.entries(field, text, level)
        if field in {"Branches", "ItemProcessor", "Iterator"}:
            inner = self.machine({"StartAt": text, "States": {}})
            return [inner] if field == "Branches" else inner
        if field in _BY_FIELD:
            return _BY_FIELD[field](text, spec)
        if field in _FIXED and not text.startswith("{%"):
            return _FIXED[field]
        if field == "QueryLanguage":
            return "JSONata" if level.jsonata else "JSONPath"
        return _compared(field, text) if field.startswith(COMPARED) else _data(text, field)

    def branch(self, branch: Json, level: "_Level") -> Json:
        if _holds(branch):
            return self.text("ItemProcessor", branch, {}, level)
        return self.machine(branch) if isinstance(branch, dict) else branch

    def entries(self, field: str, entry: Json, level: "_Level") -> list[Json]:
        """What stands for one entry of an array: one that may lead to any state, or none."""
        if not _holds(entry):
            return [self.fields(entry, level) if isinstance(entry, dict) else entry]
        if field == "Retry":
            return []
        if field == "Catch":
            return [{"ErrorEquals": [entry], "Next": level.open(entry)}]
        test: dict[str, Json] = {"Condition": True} if level.jsonata else {"Variable": "$", "IsPresent": True}
        return [{**test, "Next": level.open(entry)} if field == "Choices" else test]


class _Level:
    """The states of one machine. ``stand_ins``: those that are added to it."""

    def __init__(self, states: dict[str, Json], filler: _Filler) -> None:
        self.states = states
        self.filler = filler
        self.jsonata = filler.machine_jsonata
        self.has_open_names = any(map(_holds, states))
        self.stand_ins: dict[str, Json] = {}
        self.named: dict[str, str] = {}

    def target(self, text: str) -> str:
        """The state that a Next, Default or StartAt leads to."""
        unknown = text not in self.states and (_holds(text) or self.has_open_names)
        return self.open(text) if unknown else text

    def open(self, text: str) -> str:
        """The name of a Fail state that may lead anywhere. Its cause says which placeholder has no value."""
        if text not in self.named:
            name = text[:70]
            while name in self.states or name in self.filler.open:
                name = f"{text[:70]} {len(self.filler.open) + 1}"
            left = ", ".join(f"${{{found}}}" for found in PLACEHOLDER.findall(text))
            cause = f"{left} has no value" if left else f"A placeholder in the name of a state has no value: {text}?"
            self.named[text] = name
            self.filler.open.add(name)
            self.stand_ins[name] = {"Type": "Fail", "Error": "States.Runtime", "Cause": cause}
        return self.named[text]


def _left_out(field: str, text: str, spec: dict[str, Json]) -> bool:
    if field == "End":
        return "Next" in spec
    if field in _TEXTS or field.endswith("Path"):
        return field in _OPTIONAL and PLACEHOLDER.sub("", text) == ""
    return field in _OPTIONAL and not text.startswith("{%")


def _compared(operator: str, text: str) -> Json:
    """What the operator of a Choice compares with."""
    if operator.endswith("Path"):
        return path_text(text)
    if operator.startswith("Timestamp"):
        return _INSTANT
    return 1 if operator.startswith("Numeric") else True


def _variables(assign: Json) -> Json:
    """Assign, with names in which nothing is left to fill."""
    return {_variable(name): value for name, value in assign.items()} if isinstance(assign, dict) else assign


def _variable(name: str) -> str:
    found = PLACEHOLDER.sub(word, name)
    return found if found == name or found.removesuffix(".$").isidentifier() else "placeholder"


def _data(value: Json, key: str = "") -> Json:
    """Data that is passed on: only paths and expressions in it are read, the rest keeps its placeholders."""
    if isinstance(value, dict):
        return {field: _data(item, field) for field, item in value.items()}
    if isinstance(value, list):
        return [_data(item) for item in value]
    if not _holds(value):
        return value
    if value.startswith("{%"):
        return jsonata_text(value)
    if key == "FunctionName" and PLACEHOLDER.fullmatch(value):
        return value[2:-1]
    return path_text(value) if key.endswith((".$", "Path")) else value


def _input_type(_text: str, spec: dict[str, Json]) -> Json:
    return "CSV" if "ManifestType" in spec else "JSON"


#: Fields that must be there: from the text, and the object in which it stands, to the stand-in.
_BY_FIELD: dict[str, Callable[[str, dict[str, Any]], Json]] = {
    "Resource": resource,
    "Variable": lambda text, _spec: path_text(text),
    "ResultPath": lambda text, _spec: reference_text(text),
    "End": lambda _text, _spec: True,
    "ErrorEquals": lambda text, _spec: [text],
    "InputType": _input_type,
    "ReaderConfig": lambda _text, _spec: {"InputType": "JSON"},
}
_STORES = {"ItemReader": reader_resource, "ResultWriter": writer_resource}
