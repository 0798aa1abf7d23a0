"""The state machines of a file: a definition alone, or those of a template of SAM, CloudFormation or the Serverless
Framework, or of what the CDK writes.

What a template fills at deployment (``!Ref``, ``Fn::GetAtt`` …) stands in the definition as the placeholder
``${Name}``.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from expediter.asl import substitute
from expediter.cli.commands.workflow.reading.template_texts import fault_in_file
from expediter.cli.commands.workflow.reading.templates import as_text, intrinsic, plain_values, with_placeholders
from expediter.cli.commands.workflow.reading.values import Unreadable, parsed, text_of

#: Resource type -> the property that says whether it is STANDARD or EXPRESS.
_STATE_MACHINES = {"AWS::StepFunctions::StateMachine": "StateMachineType", "AWS::Serverless::StateMachine": "Type"}


class Source(NamedTuple):
    """One state machine. ``name``: its name in a template, or "". ``place``: the keys that lead to it in the file.

    ``text``: the file, in which ``locate`` finds a fault. ``file``: the other file that a template names for it.
    ``unread``: why its definition is not there. ``express``: whether the template says that it is an Express workflow.
    """

    name: str
    definition: Any
    text: str
    place: tuple[str, ...] = ()
    file: Path | None = None
    unread: Unreadable | None = None
    express: bool = False


def machines(path: Path, values: Mapping[str, str] | None = None) -> list[Source]:
    """Every state machine in a file, with the placeholders filled that have values. Raises Unreadable."""
    text, given = text_of(path), values or {}
    document = parsed(text, given)
    if not isinstance(document, dict) or "States" in document or "StartAt" in document:
        return [Source("", substitute(document, given), text)]
    if "Resources" in document or "stepFunctions" in document:
        return [*_cloudformation(document, text, path.parent, given), *_serverless(document, text, given)]
    return [Source("", substitute(document, given), text)]


def machine(path: Path, name: str | None, values: Mapping[str, str] | None = None) -> Source:
    """The one state machine of a file, or the one of that name. Raises Unreadable."""
    found = machines(path, values)
    names = ", ".join(source.name for source in found if source.name)
    fits = [source for source in found if name in {None, source.name}]
    if not found:
        raise Unreadable(f"{path} is a template without a state machine")
    if not fits:
        raise Unreadable(f"{path} has no state machine {name}. It has: {names or 'none that has a name'}.")
    if len(fits) > 1:
        raise Unreadable(
            f"{path} has {len(found)} state machines. Choose one with --name (in a case: definition_name): {names}."
        )
    if fits[0].unread is not None:
        raise Unreadable(f"{path}: {fits[0].name}: {fits[0].unread}", fits[0].unread.place)
    return fits[0]


# --- SAM, CloudFormation, CDK ------------------------------------------------------------------------------------


def _cloudformation(document: dict[str, Any], text: str, folder: Path, given: Mapping[str, str]) -> Iterator[Source]:
    resources = document.get("Resources")
    for name, resource in resources.items() if isinstance(resources, dict) else ():
        if not isinstance(resource, dict) or str(resource.get("Type")) not in _STATE_MACHINES:
            continue
        found = resource.get("Properties")
        properties = found if isinstance(found, dict) else {}
        express = properties.get(_STATE_MACHINES[str(resource["Type"])]) == "EXPRESS"
        try:
            yield _resource(name, properties, text, folder, given)._replace(express=express)
        except Unreadable as error:
            yield Source(name, None, text, unread=error)


def _resource(name: str, properties: dict[str, Any], text: str, folder: Path, given: Mapping[str, str]) -> Source:
    values = {**plain_values(properties.get("DefinitionSubstitutions")), **given}
    field = next((field for field in _DEFINITIONS if field in properties), None)
    if field is None:
        raise Unreadable(f"it has none of {', '.join(_DEFINITIONS)}")
    if field == "DefinitionUri":
        return _beside(name, properties[field], folder, values)
    if field == "DefinitionS3Location":
        raise Unreadable("its definition is in S3, which is not read")
    definition = properties[field]
    called = intrinsic(definition)
    if called not in {None, "Fn::Sub", "Fn::Join", "Fn::ToJsonString", "Fn::Select"}:
        raise Unreadable(f"its {field} is {called}, whose value is known at deployment only")
    keys = ("Resources", name, "Properties", field)
    if field == "DefinitionString" and (called or isinstance(definition, str)):
        try:
            found = parsed(as_text(definition), values)
        except Unreadable as error:
            raise Unreadable(f"in the text of its {field}: {error}", fault_in_file(text, keys)) from error
    else:
        found = with_placeholders(definition)
    return Source(name, substitute(found, values), text, keys)


_DEFINITIONS = ("Definition", "DefinitionString", "DefinitionUri", "DefinitionS3Location")


def _beside(name: str, uri: Any, folder: Path, values: Mapping[str, str]) -> Source:  # noqa: ANN401 - any JSON
    """The definition in the file that a template names."""
    if not isinstance(uri, str) or "://" in uri:
        raise Unreadable("its DefinitionUri names no file beside the template")
    file = folder / uri
    text = text_of(file)
    try:
        return Source(name, substitute(parsed(text, values), values), text, file=file)
    except Unreadable as error:
        place = error.place and error.place._replace(file=file)
        raise Unreadable(f"{file}: {error}", place) from error


# --- the Serverless Framework ------------------------------------------------------------------------------------


def _serverless(document: dict[str, Any], text: str, given: Mapping[str, str]) -> Iterator[Source]:
    section = document.get("stepFunctions")
    listed = section.get("stateMachines") if isinstance(section, dict) else None
    for name, found in listed.items() if isinstance(listed, dict) else ():
        definition = found.get("definition") if isinstance(found, dict) else None
        if isinstance(definition, dict):
            place = ("stepFunctions", "stateMachines", name, "definition")
            filled = substitute(with_placeholders(definition), given)
            yield Source(name, filled, text, place, express=found.get("type") == "EXPRESS")
        else:
            yield Source(name, None, text, unread=Unreadable("its definition does not stand in this file"))
