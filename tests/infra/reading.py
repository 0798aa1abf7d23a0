"""How facts read the template: resources by type and construct, references as text."""

import re
from typing import Any

Template = Any


def resources(template: Template, kind: str) -> dict[str, Any]:
    """Properties by logical id of all resources of a type."""
    return {key: it["Properties"] for key, it in template["Resources"].items() if it["Type"] == kind}


def only(template: Template, kind: str) -> Any:
    (found,) = resources(template, kind).values()
    return found


def named(template: Template, kind: str, name: str) -> tuple[str, Any]:
    """The resource whose logical id begins with the name of its construct and hash of eight."""
    found = [(key, it) for key, it in resources(template, kind).items() if re.fullmatch(name + "[0-9A-F]{8}", key)]
    assert len(found) == 1, (kind, name, [key for key, _ in found])
    return found[0]


def function(template: Template, name: str) -> tuple[str, Any]:
    return named(template, "AWS::Lambda::Function", f"Functions{name}")


def version(template: Template, name: str) -> tuple[str, Any]:
    """The version of the function that this release publishes."""
    found = [
        (key, it)
        for key, it in resources(template, "AWS::Lambda::Version").items()
        if it["FunctionName"] == {"Ref": function(template, name)[0]}
    ]
    assert len(found) == 1, (name, found)
    return found[0]


def live(template: Template, name: str) -> Any:
    """The ARN of the alias by which the function is called."""
    return {"Ref": named(template, "AWS::Lambda::Alias", f"Functions{name}Live")[0]}


def get(key: str, attribute: str = "Arn") -> Any:
    return {"Fn::GetAtt": [key, attribute]}


def text(value: Any) -> str:
    """A value with its references as ``<Key.Attribute>``."""
    if isinstance(value, dict):
        (kind, inner), *_ = value.items()
        if kind == "Fn::Select":
            return f"{text(inner[1]['Fn::Split'][1])}[{inner[0]}]"
        if kind == "Fn::Join":
            return inner[0].join(map(text, inner[1]))
        return f"<{inner if kind == 'Ref' else '.'.join(inner)}>"
    return str(value)


def tags() -> dict[str, Any]:
    return {"Tags": [{"Key": "application", "Value": "expediter"}, {"Key": "stage", "Value": "dev"}]}


def settings(template: Template, name: str) -> dict[str, str]:
    variables = function(template, name)[1].get("Environment", {}).get("Variables", {})
    return {key.removeprefix("EXPEDITER_").lower(): plain(text(value)) for key, value in variables.items()}


def plain(value: str) -> str:
    """References without the hashes of their logical ids."""
    return re.sub(r"[0-9A-F]{8}(?=[.>])", "", value)
