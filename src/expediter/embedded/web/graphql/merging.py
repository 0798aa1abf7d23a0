"""Fields that would stand under one name in the answer have to be the same field with the same arguments.

It is graphql-core's rule for a schema whose selections all have one parent type (no interface, no union), at a cost
that grows with the document and not with its square: 480 times ``orders{id}``, 5 KB, kept the server busy for a second.
https://spec.graphql.org/September2025/#sec-Field-Selection-Merging
"""

from collections.abc import Iterable, Iterator

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValidationRule,
    print_ast,
)


class FieldsMerge(ValidationRule):
    """For documents that ``graphql_limits`` has passed: no fragment is in itself, and none is spread too often."""

    def enter_operation_definition(self, node: OperationDefinitionNode, *_: object) -> None:
        self._check([node.selection_set])

    def _check(self, sets: Iterable[SelectionSetNode]) -> None:
        same: dict[str, list[FieldNode]] = {}
        for field in self._fields(sets, set()):
            same.setdefault((field.alias or field.name).value, []).append(field)
        for name, (first, *others) in same.items():
            for other in others:
                if _asked(other) != _asked(first):
                    self.report_error(GraphQLError(_CONFLICT.format(name=name), [first, other]))
                    return
            self._check([field.selection_set for field in (first, *others) if field.selection_set])

    def _fields(self, sets: Iterable[SelectionSetNode], spread: set[str]) -> Iterator[FieldNode]:
        """Every field of these selections, those of fragments too, each fragment once."""
        for selections in sets:
            for node in selections.selections:
                if isinstance(node, FieldNode):
                    yield node
                elif isinstance(node, InlineFragmentNode):
                    yield from self._fields([node.selection_set], spread)
                elif isinstance(node, FragmentSpreadNode) and node.name.value not in spread:
                    spread.add(node.name.value)
                    fragment = self.context.get_fragment(node.name.value)
                    yield from self._fields([fragment.selection_set] if fragment else [], spread)


_CONFLICT = "Fields '{name}' conflict: they ask for different things. Give one of them another alias."


def _asked(field: FieldNode) -> tuple[str, frozenset[tuple[str, str]]]:
    """The field and its arguments, in whatever order."""
    given = ((argument.name.value, print_ast(argument.value)) for argument in field.arguments or ())
    return field.name.value, frozenset(given)
