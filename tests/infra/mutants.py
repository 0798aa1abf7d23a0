"""Mutants of the template: every property of every resource, deleted in turn, however deep it stands."""

import copy
from collections.abc import Iterator
from typing import Any, NamedTuple

#: The kinds of resources whose properties are not deleted: OpenAPI's own inside is compared with the contract as a
#: whole, and the dashboard's is one text.
LEFT_OUT = ("AWS::ApiGateway::RestApi", "AWS::CloudWatch::Dashboard")


class Mutant(NamedTuple):
    """What was deleted, as a path, and what is left."""

    path: tuple[str | int, ...]
    template: Any


def mutants(template: Any) -> Iterator[Mutant]:
    """Each differs from the template by one deletion. They share what they do not differ in: do not alter them."""
    for key, resource in template["Resources"].items():
        if resource["Type"] not in LEFT_OUT:
            for path in paths(resource.get("Properties", {})):
                yield Mutant((key, *path), without(template, ("Resources", key, "Properties", *path)))


def paths(value: Any) -> Iterator[tuple[str | int, ...]]:
    """Every key and every list's item below the value. References are whole."""
    inner: Iterator[tuple[str | int, Any]] = iter(())
    if isinstance(value, dict) and not (len(value) == 1 and next(iter(value)).startswith(("Fn::", "Ref"))):
        inner = iter(value.items())
    elif isinstance(value, list):
        inner = iter(enumerate(value))
    for key, it in inner:
        yield (key,)
        yield from ((key, *path) for path in paths(it))


def without(value: Any, path: tuple[str | int, ...]) -> Any:
    """The value without what stands at the path; everything beside the path is shared."""
    first, *rest = path
    changed = copy.copy(value)
    if rest:
        changed[first] = without(value[first], tuple(rest))
    else:
        del changed[first]
    return changed
