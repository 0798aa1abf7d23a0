"""schema.graphql is the GraphQL API's source of truth, and AppSync can take it as it is."""

import re

from graphql import (
    EnumTypeDefinitionNode,
    GraphQLObjectType,
    InputObjectTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    OperationType,
    SchemaDefinitionNode,
    build_schema,
    is_non_null_type,
    parse,
)

from expediter import contracts
from expediter.api.access import NEEDS
from expediter.api.graphql import RESOLVERS, order_json
from expediter.domain.order import Status
from expediter.embedded.web.graphql.executor import PRELUDE
from tests.contracts.test_bodies import PLAIN

TEXT = contracts.read("schema.graphql").decode()
SCHEMA = build_schema(PRELUDE + TEXT)


def object_type(name: str) -> GraphQLObjectType:
    found = SCHEMA.type_map[name]
    assert isinstance(found, GraphQLObjectType)
    return found


def test_every_root_field_has_a_resolver_and_nothing_else_has() -> None:
    roots = [(kind, SCHEMA.get_root_type(kind)) for kind in OperationType]
    named = {f"{root.name}.{field}" for _, root in roots if root for field in root.fields}
    assert named == set(RESOLVERS)


def test_every_root_field_says_which_scope_it_needs() -> None:
    found = {field: scope for scope, field in re.findall(r"# Needs ([\w:]+)\.\n  (\w+)\(", TEXT)}
    assert found == {name.partition(".")[2]: NEEDS[name] for name in RESOLVERS}


def test_the_root_fields_are_the_design_s() -> None:
    for signature in (
        "postOrder(input: OrderInput!, idempotencyKey: ID): Order",
        "updateOrder(input: UpdateOrderInput!): Order",
        "deleteOrder(id: ID!, idempotencyKey: ID): ID",
        "cancelOrder(id: ID!): Order",
        "orders(limit: Int, after: ID, orderStatus: OrderStatus): [Order!]",
        "order(id: ID!): Order",
        "orderUpdated(id: ID!): Order",
    ):
        assert re.search(re.escape(signature) + "[ \n]", TEXT)


def test_a_root_field_that_fails_hides_no_other() -> None:
    for kind in OperationType:
        root = SCHEMA.get_root_type(kind)
        assert root is not None
        assert [name for name, field in root.fields.items() if is_non_null_type(field.type)] == []


def test_a_number_or_time_that_cannot_be_shown_hides_nothing_else() -> None:
    shown = (object_type("Order"), object_type("Item"))
    types = [field.type for kind in shown for field in kind.fields.values()]
    assert {str(kind) for kind in types if "Int" in str(kind) or "AWSDateTime" in str(kind)} == {"Int", "AWSDateTime"}


def test_an_order_is_shown_with_exactly_the_schema_s_fields() -> None:
    shown = order_json(PLAIN)
    assert set(object_type("Order").fields) == set(shown)
    assert set(object_type("Item").fields) == set(shown["items"][0])


def test_the_statuses_are_the_domain_s() -> None:
    document = parse(TEXT)
    (enum,) = [node for node in document.definitions if isinstance(node, EnumTypeDefinitionNode)]
    assert [value.name.value for value in enum.values or ()] == list(Status)


def test_appsync_takes_the_file() -> None:
    """Descriptions in quotes and comments inside an enum fail there; scalars and directives are AppSync's own.

    https://github.com/aws/aws-appsync-community/issues/38 and /55
    """
    document = parse(TEXT)
    allowed = SchemaDefinitionNode | ObjectTypeDefinitionNode | InputObjectTypeDefinitionNode | EnumTypeDefinitionNode
    assert all(isinstance(node, allowed) for node in document.definitions)
    assert sum(isinstance(node, SchemaDefinitionNode) for node in document.definitions) == 1
    assert '"""' not in TEXT
    assert [body for body in re.findall(r"enum \w+ \{([^}]*)\}", TEXT) if "#" in body] == []


def test_the_subscription_names_mutations_that_give_what_it_gives() -> None:
    subscription, mutation = object_type("Subscription"), object_type("Mutation")
    node = subscription.fields["orderUpdated"].ast_node
    assert node is not None
    (named,) = re.findall(r"mutations: \[([^\]]*)\]", TEXT)
    for name in re.findall(r'"(\w+)"', named):
        assert str(mutation.fields[name].type).rstrip("!") == str(subscription.fields["orderUpdated"].type)
