"""Merging fields: our rule says of every document what graphql-core's says, and does not take longer and longer."""

import pytest
from graphql import (
    GraphQLSchema,
    OverlappingFieldsCanBeMergedRule,
    build_schema,
    is_abstract_type,
    parse,
    specified_rules,
    validate,
)
from hypothesis import given
from hypothesis import strategies as some

from expediter import contracts
from expediter.embedded.web.graphql.executor import PRELUDE
from expediter.embedded.web.graphql.merging import FieldsMerge

SCHEMA: GraphQLSchema = build_schema(PRELUDE + contracts.read("schema.graphql").decode())
OTHERS = [rule for rule in specified_rules if rule is not OverlappingFieldsCanBeMergedRule]

alias = some.sampled_from([""] * 8 + ["a: ", "b: "])  # few, so that most documents are fine
leaf = some.builds("{}{}".format, alias, some.sampled_from(["id", "name", "total", "__typename"]))
item = some.builds("{}{}".format, alias, some.sampled_from(["name", "quantity", "unitPrice"]))
items = some.builds("{}items {{ {} }}".format, alias, some.lists(item, min_size=1, max_size=3).map(" ".join))


def selections(*spreads: str) -> some.SearchStrategy[str]:
    """What may be selected of an order, these fragments among it."""
    part = some.one_of(leaf, leaf, items, some.sampled_from([*spreads, "... on Order { a: id }"]))
    return some.lists(part, min_size=1, max_size=4).map(" ".join)


arguments = some.sampled_from(["", "(limit: 1)", "(limit: 2)", '(limit: 1, after: "x")', '(after: "x", limit: 1)'])
root = some.builds(
    "{}orders{} {{ {} }}".format, some.sampled_from(["", "", "o: "]), arguments, selections("...F", "...G")
)
document = some.builds(
    "{{ {} z: orders {{ ...F ...G }} }} fragment F on Order {{ {} }} fragment G on Order {{ {} }}".format,
    some.lists(root, min_size=1, max_size=2).map(" ".join),
    selections("...G"),
    selections(),
)


@given(document)
def test_it_says_of_every_document_what_the_rule_of_graphql_core_says(text: str) -> None:
    parsed = parse(text)
    assert validate(SCHEMA, parsed, OTHERS) == []

    ours, theirs = (bool(validate(SCHEMA, parsed, [rule])) for rule in (FieldsMerge, OverlappingFieldsCanBeMergedRule))
    assert ours == theirs


def test_no_type_of_the_schema_could_have_parents_of_two_types() -> None:
    assert [name for name, kind in SCHEMA.type_map.items() if is_abstract_type(kind)] == []


@pytest.mark.parametrize(
    ("fields", "fine"),
    [
        ("a: orders(limit: 1) { id } a: orders(limit: 1) { name }", True),
        ("a: orders(limit: 1) { id } a: orders(limit: 2) { id }", False),
        ("orders { a: id } orders { ... on Order { a: name } }", False),
        ("orders { items { a: name } } orders { items { a: quantity } }", False),
    ],
)
def test_what_stands_under_one_name_has_to_be_the_same(fields: str, fine: bool) -> None:
    errors = validate(SCHEMA, parse(f"{{ {fields} }}"), [FieldsMerge])

    assert [error.message for error in errors] == [] if fine else "conflict" in errors[0].message
