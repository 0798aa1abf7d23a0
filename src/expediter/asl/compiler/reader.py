"""Reads a definition: one Reader for each JSON object in it, which knows its place and collects every fault.

After a fault the Reader returns a default value and the compile function goes on, so that one ``parse`` finds all
faults of a definition.
"""

from collections.abc import Callable, Iterable
from typing import TypeAlias, TypeVar

import msgspec

from expediter.asl.errors import Fault, PathInvalid
from expediter.asl.expressions.paths import Path, compile_path
from expediter.asl.protocol import Json
from expediter.asl.states.state import State
from expediter.asl.texts import did_you_mean

_Read = TypeVar("_Read")
PythonTypes: TypeAlias = type | tuple[type, ...]


class Notes(msgspec.Struct):
    """What is found out about a definition while it is read."""

    faults: list[Fault] = []
    resources: set[str] = set()
    #: Whether anything reads the execution's input through the context object.
    keeps_input: bool = False
    #: State -> variables it reads.
    variables: dict[str, set[str]] = {}
    express: bool = False
    #: Whether the states being read are those of an Express child execution of a distributed Map.
    express_child: bool = False
    #: The Tasks without a Catch, and whether the states being read are inside one whose Catch takes every error.
    uncaught: list[str] = []
    caught: bool = False
    #: Whether an earlier version of the code has accepted the definition already.
    accepted: bool = False
    #: The query language of the whole machine.
    jsonata: bool = False
    #: Every compiled state, also those inside others: names are unique in the whole definition.
    states: dict[str, State] = {}
    #: The state being read; names of all states, to find a name used twice.
    state: str = ""
    names: set[str] = set()
    #: States that stand for a placeholder: they may lead anywhere.
    stand_ins: frozenset[str] = frozenset()

    def saw(self, paths: Iterable[Path]) -> None:
        for path in paths:
            if path.variable is not None:
                self.variables.setdefault(self.state, set()).add(path.variable)
            if path.root == "$$":
                self.keeps_input = True


class Reader:
    """One JSON object of the definition; ``place`` is its path as faults name it."""

    def __init__(self, spec: dict[str, Json], place: str, notes: Notes, *, jsonata: bool) -> None:
        self.spec = spec
        self.place = place
        self.notes = notes
        self.jsonata = jsonata

    def at(self, field: str) -> str:
        return f"{self.place}.{field}" if self.place and field else self.place or field

    def complain(self, field: str, message: str, code: str = "SCHEMA_VALIDATION_FAILED") -> None:
        self.notes.faults.append(Fault(self.at(field), message, code=code))

    def refuse(self, field: str, message: str, code: str = "SCHEMA_VALIDATION_FAILED") -> None:
        """Report what AWS refuses at creation, although it could run.

        A definition that was accepted before (``notes.accepted``) goes on: its executions must come to their end.
        """
        severity = "warning" if self.notes.accepted else "error"
        self.notes.faults.append(Fault(self.at(field), message, severity, code))

    def warn(self, field: str, message: str, code: str = "WARNING") -> None:
        self.notes.faults.append(Fault(self.at(field), message, "warning", code))

    def has(self, field: str) -> bool:
        return field in self.spec

    def inner(self, spec: Json, place: str) -> "Reader":
        """A reader of an object inside this one. Anything but an object is a fault, and is read as an empty object."""
        if not isinstance(spec, dict):
            self.complain(place, "must be an object")
        return Reader(spec if isinstance(spec, dict) else {}, self.at(place), self.notes, jsonata=self.jsonata)

    def object(self, field: str) -> "Reader | None":
        return self.inner(self.spec[field], field) if self.has(field) else None

    def objects(self, field: str) -> "list[Reader]":
        """Readers of an array of objects; absent is empty."""
        found = self.spec.get(field, [])
        if not isinstance(found, list):
            self.complain(field, "must be an array")
            return []
        return [self.inner(item, f"{field}[{index}]") for index, item in enumerate(found)]

    def take(self, field: str, kinds: PythonTypes, what: str, default: _Read) -> _Read:
        """A value of the type asked for; absent is the default, another type a fault."""
        if field not in self.spec:
            return default
        value = self.spec[field]
        fits = isinstance(value, kinds) and (not isinstance(value, bool) or kinds is bool)
        if not fits:
            self.complain(field, f"must be {what}")
            return default
        found: _Read = value
        return found

    def text(self, field: str, default: str = "") -> str:
        return self.take(field, str, "a string", default)

    def maybe_text(self, field: str) -> str | None:
        found: str | None = self.take(field, str, "a string", None)
        return found

    def integer(self, field: str, default: int, least: int, most: int = 99_999_999) -> int:
        found = self.take(field, int, "an integer", default)
        if self.has(field) and not least <= found <= most:
            self.complain(field, f"must be an integer between {least} and {most}")
        return found

    def number(self, field: str, default: float, least: float) -> float:
        found = self.take(field, (int, float), "a number", default)
        if self.has(field) and found < least:
            self.complain(field, f"must be a number of at least {least}")
        return found

    def only(self, *known: str) -> None:
        """Every other field is a fault: AWS refuses fields that it does not know."""
        for field in self.spec:
            if field not in known:
                self.refuse(field, f"Field '{field}' is not supported{did_you_mean(field, known)}")

    def require(self, *fields: str) -> bool:
        missing = [field for field in fields if field not in self.spec]
        if missing:
            self.complain("", f"These fields are required: [{', '.join(missing)}]")
        return not missing

    def one_of(self, *fields: str) -> str | None:
        """Exactly one of these fields must be there; its name."""
        found = [field for field in fields if field in self.spec]
        if len(found) != 1:
            self.complain("", f"Exactly one of these fields is required: [{', '.join(fields)}]")
        return found[0] if found else None

    def compiled(self, field: str, compile_text: Callable[[str], _Read]) -> _Read | None:
        """The field's text compiled; absent or faulty is None."""
        text = self.maybe_text(field)
        if text is None:
            return None
        try:
            return compile_text(text)
        except PathInvalid as fault:
            self.complain(field, f"Value is not a valid JSONPath: {text} ({fault})")
            return None

    def path(self, field: str) -> Path | None:
        found = self.compiled(field, compile_path)
        if found is not None:
            self.notes.saw((found,))
        return found
