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
    """``outside``: the first reference to an input document, or None. ``members``: those of $states that are read.
    ``calls``: the functions that are called by a name that the expression does not define itself."""

    outside: str | None
    members: frozenset[str]
    calls: frozenset[str]


def references(tree: Node) -> References:
    """What a parsed expression refers to."""
    nodes = list(_walk(tree, relative=False))
    outside = next((text for node, relative in nodes if (text := _outside(node, relative=relative))), None)
    members = frozenset(member for node, _ in nodes if (member := _member(node)))
    defined = {name for node, _ in nodes for name in _defined(node)}
    called = {name for node, _ in nodes if (name := _called(node))}
    return References(outside, members, frozenset(called - defined))


def _outside(node: Node, *, relative: bool) -> str | None:
    """The node as text, if it reads an input document."""
    if node.type == "variable" and (node.value == "$" or (node.value == "" and not relative)):
        return "$" + str(node.value)
    return str(node.value) if node.type in _READS_THE_INPUT and not relative else None


def _member(node: Node) -> str | None:
    """The member of ``$states`` that a path begins with."""
    if node.type != "path" or len(node.steps) < 2:
        return None
    first, second = node.steps[:2]
    states = first.type == "variable" and first.value == "states"
    return str(second.value) if states and second.type in {"name", "string"} else None


def _defined(node: Node) -> list[str]:
    """The names that a node gives to values: ``$name := …``, and the parameters of a function."""
    if node.type == "bind":
        return [node.lhs.value]
    if node.type == "lambda" and node.arguments is not None:
        return [argument.value for argument in node.arguments]
    return []


def _called(node: Node) -> str | None:
    """The name by which a node calls a function: ``$name(…)``, ``… ~> $name``."""
    procedure = {"function": "procedure", "partial": "procedure", "apply": "rhs"}.get(node.type)
    called = None if procedure is None else getattr(node, procedure, None)
    return str(called.value) if called is not None and called.type == "variable" else None


def _walk(node: Node, *, relative: bool) -> Iterator[tuple[Node, bool]]:
    """Every node, and whether it is evaluated relative to a value of the expression."""
    if isinstance(node, list | tuple):
        for item in node:
            yield from _walk(item, relative=relative)
        return
    kind = getattr(node, "type", None)
    if kind is None:
        return
    yield node, relative
    if kind == "path":
        yield from _walk(node.steps[0], relative=relative)
        yield from _walk(node.steps[1:], relative=True)
    if kind != "lambda" or node.arguments is None:
        yield from _fields(node, _SAME_CONTEXT, relative=relative)
    else:
        yield from _walk(node.body, relative=relative)
    yield from _fields(node, _RELATIVE, relative=True)


def _fields(node: Node, names: tuple[str, ...], *, relative: bool) -> Iterator[tuple[Node, bool]]:
    for name in names:
        inner = getattr(node, name, None)
        if inner is not None and not isinstance(inner, str):
            yield from _walk(inner, relative=relative)
