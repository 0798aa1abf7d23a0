"""Whatever values stored orders hold, a page of them is given: no value of one order hides another order."""

from contextlib import closing
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from graphql import ExecutionResult, GraphQLNamedType, GraphQLObjectType, execute, get_named_type, parse
from hypothesis import given
from hypothesis import strategies as st

from expediter.api.request import Request
from expediter.api.rest import OPERATIONS
from expediter.app.ports import Caller, Claim, Outcome
from expediter.console.words import row
from expediter.domain.order import Item, Order
from expediter.embedded.sqlite.database import open_writer
from expediter.embedded.sqlite.session import Session
from expediter.embedded.stores.claims import SqliteClaims
from expediter.embedded.stores.orders import SqliteOrders
from expediter.embedded.web.graphql.executor import bound_schema, formatted
from tests.embedded.web.conftest import Opened, Served
from tests.support.values import SETTINGS, an_order

pytestmark = pytest.mark.anyio

#: Around the ends of 32 and 64 bits, of the years 1 to 9999 in milliseconds, and far beyond.
EDGES = [sign * (2**bits + by) for sign in (1, -1) for bits in (31, 53, 63, 64, 200) for by in (-1, 0, 1)]
EDGES += [-62_135_596_800_000 - 1, 253_402_300_800_000]
whole = st.sampled_from(EDGES) | st.integers()
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
kept = st.builds(
    Order,
    id=st.builds(lambda: str(uuid4())),  # a fresh one also when an example is tried again
    user_id=text,
    restaurant_id=text,
    items=st.lists(st.builds(Item, name=text, quantity=whole, unit_price=whole), max_size=3).map(tuple),
    currency=text,
    created_at=whole,
    updated_at=whole,
    name=st.none() | text,
    email=st.none() | text,
    error_message=st.none() | text,
    cancel_requested_at=st.none() | whole,
    version=st.just(1),
)


def selection(kind: GraphQLNamedType) -> str:
    """Every field of a type, and of the types below it."""
    if not isinstance(kind, GraphQLObjectType):
        return ""
    fields = (f"{name} {selection(get_named_type(field.type))}" for name, field in kind.fields.items())
    return "{ " + " ".join(fields) + " }"


def store(served: Served, *orders: Order) -> None:
    """Writes the orders straight into the file, whatever the APIs say of them."""
    with closing(open_writer(served.home.settings.data / "expediter.db")) as connection:
        session = Session(connection)
        rows = SqliteOrders(session, SETTINGS, lambda _: None, None)
        for order in orders:
            SqliteClaims(session).claim(Claim(order.id, "print"))
            rows.apply(None, Outcome(order))


def plain() -> Order:
    return an_order(id=str(uuid4()), version=1)


async def test_no_value_of_a_stored_order_spoils_a_page(opened: Opened) -> None:
    async with opened() as served:
        schema = bound_schema(served.home)
        document = parse("{ orders(limit: 3) " + selection(schema.type_map["Order"]) + " }")

        @given(kept)
        def law(order: Order) -> None:
            before, after = plain(), plain()
            store(served, before, order, after)
            result = execute(schema, document, None, Caller())
            assert isinstance(result, ExecutionResult)
            answer = formatted(result)
            shown: list[dict[str, Any]] = answer["data"]["orders"]

            assert [one["id"] for one in shown] == [after.id, order.id, before.id]
            assert all(None not in (one["total"], one["createdAt"]) for one in (shown[0], shown[2]))
            assert all(error["path"][:2] == ["orders", 1] for error in answer.get("errors", ()))
            assert [error["errorType"] for error in answer.get("errors", ())] == ["ValueOutOfRange"] * nulls(shown[1])

        law()


async def test_no_value_of_a_stored_order_spoils_a_page_of_rest_or_of_the_console(opened: Opened) -> None:
    request = Request("GET", "/orders", Caller(), "", query=(("limit", "3"),))
    async with opened() as served:

        @given(kept)
        def law(order: Order) -> None:
            orders = (plain(), order, plain())
            store(served, *orders)
            answer = served.home.read(lambda work: OPERATIONS["listOrders"].handle(work, request))
            page = msgspec.json.decode(answer.body)["items"]

            assert [one["id"] for one in page] == [one.id for one in reversed(orders)]
            assert page[1]["total"] == order.total
            assert all(row(one, 0) for one in orders if one.items)

        law()


def nulls(order: dict[str, Any]) -> int:
    """How many of the order's numbers and times are not shown."""
    shown = [order[name] for name in ("quantity", "total", "createdAt", "updatedAt")]
    shown += [item[name] for item in order["items"] for name in ("quantity", "unitPrice")]
    return shown.count(None)
