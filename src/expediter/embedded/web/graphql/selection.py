"""What a field of a document asks for."""

from typing import Any

from graphql import FieldNode, FragmentSpreadNode, GraphQLResolveInfo, InlineFragmentNode


def selected(info: GraphQLResolveInfo[Any]) -> set[str]:
    """The names of the fields that are asked for inside this field, in fragments too.

    Fields that ``@skip`` or ``@include`` may leave out count as well.
    """
    found: set[str] = set()
    within = [node.selection_set for node in info.field_nodes]
    while within:
        inside = within.pop()
        for node in inside.selections if inside else ():
            if isinstance(node, FieldNode):
                found.add(node.name.value)
            elif isinstance(node, InlineFragmentNode):
                within.append(node.selection_set)
            elif isinstance(node, FragmentSpreadNode):
                within.append(info.fragments[node.name.value].selection_set)
    return found
