"""What a JSONata expression may refer to in Step Functions: ``$states``, the variables, and what it builds itself.

There is no input document. A name alone (``{% phone %}``), ``*``, ``$`` and ``$$`` would read one, so AWS refuses to
create a workflow that has them. Inside a predicate, a later step of a path, a sort term or a grouping they are relative
to a value of the expression, and allowed. Source: "Transforming data with JSONata in Step Functions"; AWS's answers.
"""

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from expediter.asl.protocol import Json

#: A node of the syntax tree that the JSONata library builds; it ships no types.
Node: TypeAlias = Json

#: Fields of a node whose expressions are evaluated in the same context as the node itself.
_SAME_CONTEXT = (
    "lhs", "rhs", "expr", "expression", "expressions", "procedure", "arguments", "condition", "then", "_else", "body",
    "lhs_object", "rhs_object",
)  # fmt: skip
#: Fields whose expressions are relative to the node's value.
_RELATIVE = ("predicate", "stages", "group", "terms", "pattern", "update", "delete")
_READS_THE_INPUT = frozenset({"name", "wildcard", "descendant"})


class References(NamedTuple):
    """``outside``: the first reference to an input document, or None. ``error_output``: reads $states.errorOutput."""

    outside: str | None
    error_output: bool


def references(tree: Node) -> References:
    """What a parsed expression refers to."""
    found = list(_walk(tree, relative=False))
    outside = next((text for text in found if text != _ERROR_OUTPUT), None)
    return References(outside, _ERROR_OUTPUT in found)


_ERROR_OUTPUT = "$states.errorOutput"


def _walk(node: Node, *, relative: bool) -> Iterator[str]:
    if isinstance(node, list | tuple):
        for item in node:
            yield from _walk(item, relative=relative)
        return
    kind = getattr(node, "type", None)
    if kind is None:
        return
    if kind == "variable" and (node.value == "$" or (node.value == "" and not relative)):
        yield "$" + node.value
    if kind in _READS_THE_INPUT and not relative:
        yield str(node.value)
    if kind == "path":
        yield from _path(node.steps, relative=relative)
    if kind != "lambda" or node.arguments is None:
        yield from _fields(node, _SAME_CONTEXT, relative=relative)
    else:
        yield from _walk(node.body, relative=relative)
    yield from _fields(node, _RELATIVE, relative=True)


def _path(steps: list[Node], *, relative: bool) -> Iterator[str]:
    first, later = steps[0], steps[1:]
    if first.type == "variable" and first.value == "states" and later and later[0].value == "errorOutput":
        yield _ERROR_OUTPUT
    yield from _walk(first, relative=relative)
    yield from _walk(later, relative=True)


def _fields(node: Node, names: tuple[str, ...], *, relative: bool) -> Iterator[str]:
    for name in names:
        inner = getattr(node, name, None)
        if inner is not None and not isinstance(inner, str):
            yield from _walk(inner, relative=relative)
