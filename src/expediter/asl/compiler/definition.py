"""From the text of a definition to a machine: read every state, note every fault, then link the states."""

from expediter.asl.compiler.placeholders.names import names_left, quoted
from expediter.asl.compiler.reader import Notes, Reader
from expediter.asl.compiler.state_types import compile_scope
from expediter.asl.errors import DefinitionInvalid, Fault
from expediter.asl.machine import DEFINITION_FIELDS, Machine
from expediter.asl.protocol import Json
from expediter.asl.texts import DuplicateKey, decode_unique, encode

#: The largest definition that AWS accepts, in bytes.
DEFINITION_LIMIT = 1_048_576


def parse(definition: Json, *, express: bool = False, accepted: bool = False) -> Machine:
    """Read, check and compile a definition (an object, or its JSON text).

    Raises DefinitionInvalid with every fault found when one of them is an error. ``express``: also apply the rules of
    Express workflows. ``accepted``: it runs already, so what AWS refuses only at creation is a warning.
    """
    notes = Notes(express=express, accepted=accepted)
    reader = top_reader(definition, notes)
    try:
        compile_scope(reader)
    except RecursionError as fault:
        reader.complain("", "is nested too deep")
        raise DefinitionInvalid(tuple(notes.faults)) from fault
    states = notes.states
    if notes.uncaught:
        message = f"An error that Retry does not cure ends the execution: no Catch in {', '.join(notes.uncaught)}"
        reader.warn("", message, "NO_CATCH")
    timeout = reader.integer("TimeoutSeconds", 0, 1) if reader.has("TimeoutSeconds") else None
    faults = tuple(dict.fromkeys(notes.faults))  # two readers may have found the same fault of a field
    if any(fault.severity == "error" for fault in faults):
        raise DefinitionInvalid(faults)
    for state in states.values():
        state.link(states)
    variables = {name: sorted(read) for name, read in sorted(notes.variables.items())}
    resources = frozenset(notes.resources)
    return Machine(
        reader.text("StartAt"), states, resources, faults, variables, notes.keeps_input, timeout, reader.spec
    )


def top_reader(definition: Json, notes: Notes) -> Reader:
    """The reader of the definition itself."""
    left, definition, size = _measured(_read(definition, notes), notes)
    for name in left:
        message = f"${{{name}}} is filled at deployment; it is checked with a stand-in"
        notes.faults.append(Fault("", message, "note", "PLACEHOLDER"))
    reader = Reader(definition, "", notes, jsonata=False)
    if size > DEFINITION_LIMIT:
        reader.complain("", f"A definition has at most {DEFINITION_LIMIT} bytes")
    language = reader.text("QueryLanguage", "JSONPath")
    if language not in {"JSONPath", "JSONata"}:
        reader.complain("QueryLanguage", "must be JSONPath or JSONata")
    reader.jsonata = notes.jsonata = language == "JSONata"
    reader.only(*DEFINITION_FIELDS)
    return reader


def _read(definition: Json, notes: Notes) -> dict[str, Json]:
    """The definition as an object."""
    if isinstance(definition, str | bytes):
        try:
            definition = decode_unique(quoted(definition if isinstance(definition, str) else definition.decode()))
        except DuplicateKey as twice:
            notes.faults.append(Fault("", str(twice)))
            raise DefinitionInvalid(tuple(notes.faults)) from twice
        except (ValueError, RecursionError):
            definition = None
    if not isinstance(definition, dict):
        notes.faults.append(Fault("", "Definition must be a valid JSON object"))
        raise DefinitionInvalid(tuple(notes.faults))
    return definition


def _measured(definition: dict[str, Json], notes: Notes) -> tuple[tuple[str, ...], dict[str, Json], int]:
    """The names of its placeholders, the definition without them, and its bytes."""
    try:
        left, complete = names_left(definition), definition
        if left:
            from expediter.asl.compiler.placeholders.stand_ins import filled  # noqa: PLC0415  # few have any

            complete, notes.stand_ins = filled(definition)
        return left, complete, len(encode(complete))
    except (RecursionError, ValueError, TypeError) as fault:  # nested too deep; what JSON does not have
        notes.faults.append(Fault("", f"Definition must be a valid JSON object: {fault}"))
        raise DefinitionInvalid(tuple(notes.faults)) from fault
