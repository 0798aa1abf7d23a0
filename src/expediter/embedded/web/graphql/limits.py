"""Limits how much a GraphQL document may ask for. A variable counts as its largest value.

The cost of a field is 1 (more for one that writes), plus the cost of the fields below it, times the items of its list.
"""

from typing import NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    NullValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    TokenKind,
)

from expediter.api.errors import DocumentInvalid, DocumentTooComplex
from expediter.api.graphql import LARGEST_PAGE, PAGE, RESOLVERS
from expediter.app.drafts import MAX_ITEMS

DEEPEST = 8
COSTLIEST = 10_000
#: Costs of a field that writes, and of one that asks for the schema. The latter walks the whole schema for each field
#: that it selects there, so those are limited too. GraphiQL's document selects 220.
WRITING, INTROSPECTION, INTROSPECTED = 100, 1_000, 500
WRITERS = frozenset(field.removeprefix("Mutation.") for field in RESOLVERS if field.startswith("Mutation."))
#: Digits of a whole number. The schema's numbers have at most 10. An ID may be written as a number.
LONGEST_NUMBER = 100
#: The items that an order counts with. It may have 100, but few orders do.
ITEMS = 20
#: What may be below one field of a mutation or subscription. Its answer is made in one go, while a query yields to the
#: event loop in its middle. So here an order counts with all the items that it may have.
COSTLIEST_AT_ONCE = 4_000


class Size(NamedTuple):
    """``largest``: the greatest cost below one of the selected fields."""

    cost: int
    depth: int
    largest: int = 0


def check(document: DocumentNode) -> None:
    """Raises DocumentTooComplex, and DocumentInvalid when a fragment contains itself or a number is too long. Call it
    before the document is validated, because validating costs more the larger a document is.
    """
    _check_numbers(document)
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    in_slices, at_once = _Measure(fragments, ITEMS), _Measure(fragments, MAX_ITEMS)
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode):
            is_query = node.operation is OperationType.QUERY
            size = (in_slices if is_query else at_once).selected(node.selection_set)
            _require(size.cost, COSTLIEST, "costs")
            _require(size.depth, DEEPEST, "is nested")
            if not is_query:
                _require(size.largest, COSTLIEST_AT_ONCE, "has a field that costs")


def _check_numbers(document: DocumentNode) -> None:
    token = document.loc.start_token if document.loc else None
    while token:
        if token.kind is TokenKind.INT and len(token.value or "") > LONGEST_NUMBER:
            raise DocumentInvalid(f"A number has more than {LONGEST_NUMBER} digits. Send a shorter one.")
        token = token.next


def _require(value: int, most: int, verb: str) -> None:
    if value > most:
        raise DocumentTooComplex(f"The document {verb} {value}, at most {most} is allowed. Ask for less at once.")


class _Measure:
    """Measures selections. Each fragment is measured once, however often it is spread."""

    def __init__(self, fragments: dict[str, FragmentDefinitionNode], items: int) -> None:
        self._fragments = fragments
        self._items = items
        self._measured: dict[str, Size | None] = {}

    def selected(self, selections: SelectionSetNode | None) -> Size:
        sizes = [self._part(node) for node in selections.selections] if selections else []
        deepest, largest = (max(column, default=0) for column in ([s.depth for s in sizes], [s.largest for s in sizes]))
        return Size(sum(size.cost for size in sizes), deepest, largest)

    def _part(self, node: SelectionNode) -> Size:
        if isinstance(node, FieldNode):
            return self._field(node)
        if isinstance(node, FragmentSpreadNode):
            return self._fragment(node.name.value)
        return self.selected(node.selection_set if isinstance(node, InlineFragmentNode) else None)

    def _fragment(self, name: str) -> Size:
        if name not in self._fragments:
            return Size(0, 0)  # validation reports it
        if name not in self._measured:
            self._measured[name] = None
            self._measured[name] = self.selected(self._fragments[name].selection_set)
        size = self._measured[name]
        if size is None:
            raise DocumentInvalid(f"The fragment {name} contains itself. Write out its nested fields.")
        return size

    def _field(self, node: FieldNode) -> Size:
        if node.name.value.startswith("__"):
            return self._introspected(node)
        below = self.selected(node.selection_set)
        own = WRITING if node.name.value in WRITERS else 1
        cost = self._times(node) * below.cost
        return Size(own + cost, 1 + below.depth, cost)

    def _introspected(self, node: FieldNode) -> Size:
        below = self.selected(node.selection_set).cost
        _require(below, INTROSPECTED, "asks of the schema")
        return Size(INTROSPECTION + below if below else 1, 1)

    def _times(self, node: FieldNode) -> int:
        """How often a field's value can be in the answer at most."""
        if node.name.value == "items":
            return self._items
        if node.name.value != "orders":
            return 1
        limit = next((argument.value for argument in node.arguments or () if argument.name.value == "limit"), None)
        if limit is None or isinstance(limit, NullValueNode):
            return PAGE
        return max(1, int(limit.value)) if isinstance(limit, IntValueNode) else LARGEST_PAGE
