"""The state that is asked about, in a machine of its own. Its other states only say where it went."""

from typing import Any, NoReturn

from expediter.asl.compiler.definition import parse
from expediter.asl.errors import DefinitionInvalid
from expediter.asl.machine import Machine, all_states
from expediter.asl.texts import decode_unique

#: The name of a state that is given without one.
UNNAMED = "StateName"
#: Before the name of a state that leads back to itself: the state that then follows it.
ITSELF = "→ "


class RequestRefused(Exception):
    """What AWS answers instead of running the state. ``code``: ValidationException or InvalidDefinition."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def refuse(message: str) -> NoReturn:
    raise RequestRefused("ValidationException", message)


def read_state(request: dict[str, Any]) -> tuple[str, dict[str, Any], bool]:
    """The name of the state, the state, and whether it is written in JSONata. Raises RequestRefused."""
    definition = request.get("definition")
    if isinstance(definition, str):
        try:
            definition = decode_unique(definition)
        except (ValueError, RecursionError) as error:
            raise RequestRefused("InvalidDefinition", f"Invalid State Machine Definition: '{error}'") from error
    if not isinstance(definition, dict):
        raise RequestRefused("InvalidDefinition", "Invalid State Machine Definition: 'It must be a JSON object'")
    language = definition.get("QueryLanguage", "JSONPath")
    if "States" not in definition:
        name, spec = str(request.get("stateName", UNNAMED)), definition
    else:
        _check_machine(definition)
        name = str(request.get("stateName", ""))
        if not name:
            refuse("stateName must be specified when the definition is a state machine")
        found = next((spec for found, spec in all_states(definition) if found == name), None)
        spec = refuse("State not found in definition") if found is None else found
    if not isinstance(spec.get("Type"), str):
        raise RequestRefused(
            "InvalidDefinition", "Invalid State Machine Definition: 'These fields are required: [Type]'"
        )
    jsonata = spec.get("QueryLanguage", language) == "JSONata"
    machine_of(name, spec, jsonata=jsonata)
    return name, spec, jsonata


def _check_machine(definition: dict[str, Any]) -> None:
    try:
        parse(definition)
    except DefinitionInvalid as invalid:
        raise invalid_definition(invalid) from invalid


def invalid_definition(invalid: DefinitionInvalid) -> RequestRefused:
    """The answer to a definition that cannot run: its first error."""
    fault = next(fault for fault in invalid.faults if fault.severity == "error")
    return RequestRefused("InvalidDefinition", f"Invalid State Machine Definition: '{fault.code}: {fault}'")


def machine_of(name: str, spec: dict[str, Any], *, jsonata: bool) -> Machine:
    """A machine that begins with the state; each state that may follow it does nothing. Raises RequestRefused."""
    language = "JSONata" if jsonata else "JSONPath"
    redirected, targets = _redirected(spec, name)
    states: dict[str, Any] = {target: {"Type": "Succeed"} for target in targets}
    states[name] = {"QueryLanguage": language, **redirected}
    try:
        return parse({"StartAt": name, "States": states})
    except DefinitionInvalid as invalid:
        raise invalid_definition(invalid) from invalid


def _redirected(spec: dict[str, Any], name: str) -> tuple[dict[str, Any], list[str]]:
    """The state, and the names of those that may follow. One that leads back to itself leads to a stand-in."""
    targets: list[str] = []

    def to(target: Any) -> Any:  # noqa: ANN401 - what a definition holds may be anything
        if isinstance(target, str):
            target = ITSELF + target if target == name else target
            targets.append(target)
        return target

    found = dict(spec)
    for field in ("Next", "Default"):
        if field in found:
            found[field] = to(found[field])
    for field in ("Choices", "Catch"):
        if isinstance(found.get(field), list):
            found[field] = [
                {**entry, "Next": to(entry["Next"])} if isinstance(entry, dict) and "Next" in entry else entry
                for entry in found[field]
            ]
    return found, targets
