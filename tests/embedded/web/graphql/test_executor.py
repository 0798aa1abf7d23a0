"""GraphQL over HTTP: execution, errors, limits."""

from typing import Any

import httpx
import pytest
from graphql import get_introspection_query

from expediter.embedded.sqlite import units
from tests.embedded.web.conftest import Opened, Served

pytestmark = pytest.mark.anyio

FIRST = """mutation { postOrder(input: {name: "Burger", quantity: 3, restaurantId: "Restaurant 4"})
    { id name quantity restaurantId orderStatus } }"""
POST = "mutation($input: OrderInput!, $key: ID) { postOrder(input: $input, idempotencyKey: $key) { id } }"
PLAIN = {"name": "Burger", "quantity": 3, "restaurantId": "Restaurant 4"}


async def asked(served: Served, query: str, **variables: Any) -> Any:
    answer = await served.client.post("/graphql", json={"query": query, "variables": variables})
    assert answer.status_code == 200
    return answer.json()


async def test_the_first_order_of_the_readme(opened: Opened) -> None:
    async with opened() as served:
        order = (await asked(served, FIRST))["data"]["postOrder"]
        assert order.pop("id")
        assert order == {**PLAIN, "orderStatus": "PENDING"}


async def test_a_posted_order_can_be_asked_for(opened: Opened) -> None:
    async with opened() as served:
        posted = (await asked(served, POST, input=PLAIN))["data"]["postOrder"]
        answer = await asked(
            served, "query($id: ID!) { order(id: $id) { id total createdAt userId } }", id=posted["id"]
        )
        assert (answer["data"]["order"]["total"], answer["data"]["order"]["userId"]) == (3000, "anonymous")


async def test_an_order_that_is_not_there_is_null(opened: Opened) -> None:
    async with opened() as served:
        assert await asked(served, '{ order(id: "x") { id } }') == {"data": {"order": None}}


async def test_an_id_is_a_text_or_an_integer_because_two_floats_may_be_one_number(opened: Opened) -> None:
    async with opened() as served:
        for key in (9007199254740993.0, 1.5, True, ["a"]):
            (error,) = (await asked(served, POST, input=PLAIN, key=key))["errors"]
            assert error["extensions"]["code"] == "DocumentInvalid"
        keys = ("9007199254740993.0", "9007199254740992.0", 9007199254740993, 9007199254740992, "9007199254740992")
        made = [(await asked(served, POST, input=PLAIN, key=key))["data"]["postOrder"]["id"] for key in keys]
        assert (len(set(made)), made[3]) == (4, made[4])


async def test_an_error_has_its_name_and_its_faults(opened: Opened) -> None:
    async with opened() as served:
        (error,) = (await asked(served, POST, input={**PLAIN, "quantity": 0}))["errors"]
        assert error["path"] == ["postOrder"]
        assert error["extensions"]["code"] == error["errorType"] == "OrderInvalid"
        assert [fault["path"] for fault in error["extensions"]["errors"]] == ["input.quantity"]
        (error,) = (await asked(served, 'mutation { deleteOrder(id: "x") }'))["errors"]
        assert error["extensions"] == {"code": "OrderNotFound"}


async def test_a_field_that_fails_undoes_no_other(opened: Opened) -> None:
    document = """mutation($input: OrderInput!) {
        first: postOrder(input: $input) { id }
        failed: deleteOrder(id: "x")
        second: postOrder(input: $input) { id }
    }"""
    async with opened() as served:
        answer = await asked(served, document, input=PLAIN)
        assert [error["path"] for error in answer["errors"]] == [["failed"]]
        assert answer["data"]["failed"] is None
        for name in ("first", "second"):
            order_id = answer["data"][name]["id"]
            assert (await served.client.get(f"/orders/{order_id}")).status_code == 200


async def test_every_field_of_a_mutation_runs_in_order_and_keeps_its_result_though_another_fails(
    opened: Opened,
) -> None:
    document = """mutation($input: OrderInput!, $bad: OrderInput!) {
        first: postOrder(input: $input) { id }
        bad: postOrder(input: $bad) { id }
        cancelOrder(id: "x") { id }
        updateOrder(input: {id: "x"}) { id }
        last: postOrder(input: $input) { id }
    }"""
    async with opened() as served:
        answer = await asked(served, document, input=PLAIN, bad={**PLAIN, "quantity": 0})
        assert list(answer["data"]) == ["first", "bad", "cancelOrder", "updateOrder", "last"]
        assert [name for name, value in answer["data"].items() if value is None] == [
            "bad",
            "cancelOrder",
            "updateOrder",
        ]
        assert [(error["path"], error["errorType"]) for error in answer["errors"]] == [
            (["bad"], "OrderInvalid"),
            (["cancelOrder"], "OrderNotFound"),
            (["updateOrder"], "OrderNotFound"),
        ]
        for name in ("first", "last"):
            order_id = answer["data"][name]["id"]
            assert (await served.client.get(f"/orders/{order_id}")).status_code == 200


async def test_a_query_that_fails_hides_no_other(opened: Opened) -> None:
    async with opened() as served:
        answer = await asked(served, '{ a: orders { id } b: orders(limit: 0) { id } c: order(id: "x") { id } }')
        assert answer["data"] == {"a": [], "b": None, "c": None}
        assert [error["path"] for error in answer["errors"]] == [["b"]]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("{", "RequestUnparsable"),
        ("", "RequestUnparsable"),
        ("{ nothing }", "DocumentInvalid"),
        ("{ orders { } }", "DocumentInvalid"),
        ("query A { orders { id } } query B { orders { id } }", "DocumentInvalid"),
        ("query($id: ID!) { order(id: $id) { id } }", "DocumentInvalid"),
        ('subscription { orderUpdated(id: "x") { id } }', "DocumentInvalid"),
        ("{ orders(limit: 0) { id } }", "OrderInvalid"),
    ],
)
async def test_a_request_that_cannot_be_carried_out_says_why(opened: Opened, query: str, name: str) -> None:
    async with opened() as served:
        answer = await asked(served, query)
        assert answer["errors"][0]["extensions"]["code"] == name
        assert not any((answer.get("data") or {}).values())


# ── limits ────────────────────────────────────────────────────────────────────────────────────────────────────────

ORDERS = "orders(limit: 100) { id userId name quantity total currency items { name quantity unitPrice } }"


@pytest.mark.parametrize(
    "document",
    [
        "{" + " ".join(f"a{n}: {ORDERS}" for n in range(5)) + "}",
        "query($n: Int) {" + " ".join(f"a{n}: {ORDERS.replace('100', '$n')}" for n in range(5)) + "}",
        "mutation {" + " ".join(f'a{n}: deleteOrder(id: "x")' for n in range(101)) + "}",
        "mutation { ...F } fragment F on Mutation {"
        + " ".join(f'a{n}: deleteOrder(id: "x")' for n in range(101))
        + "}",
        "{ a: orders(limit: -100000000) { id } " + " ".join(f"a{n}: {ORDERS}" for n in range(5)) + "}",
        "{" + " ".join(f"a{n}: __schema {{ types {{ name }} }}" for n in range(11)) + "}",
        "{ __schema { types { " + " ".join(f"a{n}: name" for n in range(500)) + " } } }",
        "{ __schema { types { ...F0 } } } fragment F9 on __Type { name }"
        + "".join(
            f"fragment F{n} on __Type {{ a: ofType {{ ...F{n + 1} }} b: ofType {{ ...F{n + 1} }} }}" for n in range(9)
        ),
        "{" + "orders { id } " * 480 + "}",
        'mutation { deleteOrder(id: "x") ...F } fragment F on Mutation { cancelOrder(id: "x") { items { '
        + " ".join(f"a{n}: name" for n in range(41))
        + " } } }",
        'subscription { orderUpdated(id: "x") { items { ' + " ".join(f"a{n}: name" for n in range(41)) + " } } }",
    ],
)
async def test_a_document_that_asks_for_too_much_is_refused(opened: Opened, document: str) -> None:
    async with opened() as served:
        assert (await asked(served, document))["errors"][0]["extensions"]["code"] == "DocumentTooComplex"


async def test_ten_orders_may_be_posted_at_once_and_all_of_them_asked_for(opened: Opened) -> None:
    everything = "{ id userId name quantity total currency orderStatus items { name quantity unitPrice } }"
    document = "".join(f"a{number}: postOrder(input: $input) {everything} " for number in range(10))
    async with opened() as served:
        answer = await asked(served, f"mutation($input: OrderInput!) {{ {document} }}", input=PLAIN)
        assert len(answer["data"]) == 10


async def test_a_fragment_that_contains_itself_is_refused(opened: Opened) -> None:
    document = "{ orders { ...A } } fragment A on Order { id ...B } fragment B on Order { ...A }"
    async with opened() as served:
        (error,) = (await asked(served, document))["errors"]
        assert error["extensions"]["code"] == "DocumentInvalid"
        assert "contains itself" in error["message"]


async def test_the_schema_can_be_asked_for_as_tools_do(opened: Opened) -> None:
    async with opened() as served:
        answer = await asked(served, get_introspection_query(input_value_deprecation=True))
        assert answer["data"]["__schema"]["queryType"]["name"] == "Query"


async def test_the_largest_page_may_be_asked_for(opened: Opened) -> None:
    async with opened() as served:
        assert await asked(served, "{" + ORDERS + "}") == {"data": {"orders": []}}


async def test_fragments_that_spread_into_each_other_count_as_often_as_they_stand_there(opened: Opened) -> None:
    fragments = "".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }} " for n in range(40))
    document = "{ ...F0 } " + fragments + "fragment F40 on Query { orders { id } }"
    async with opened() as served:
        assert (await asked(served, document))["errors"][0]["extensions"]["code"] == "DocumentTooComplex"


@pytest.mark.parametrize("deep", ["{" * 700 + "}" * 700, "[" * 1500, "{a" * 700])
async def test_what_is_nested_too_deeply_is_refused_before_it_hurts(opened: Opened, deep: str) -> None:
    async with opened() as served:
        for query in (deep, f"{{ orders(limit: {deep}) {{ id }} }}"):
            answer = await served.client.post("/graphql", json={"query": query})
            assert answer.status_code == 200
            assert answer.json()["errors"]


NUMBERS = (
    "{ orders(limit: %s) { id } }",
    'mutation { postOrder(input: {name: "a", quantity: %s, restaurantId: "r"}) { id } }',
)


@pytest.mark.parametrize("document", NUMBERS)
@pytest.mark.parametrize("number", ["9" * 11, "9" * 101, "9" * 5_000, "-" + "9" * 5_000])
async def test_a_number_that_is_too_long_is_an_error_of_the_document(
    opened: Opened, document: str, number: str
) -> None:
    async with opened() as served:
        answer = await asked(served, document % number)

        (error,) = answer["errors"]
        assert error["extensions"]["code"] in {"DocumentInvalid", "DocumentTooComplex"}


@pytest.mark.parametrize(("digits", "status"), [(11, 200), (4_000, 200), (5_000, 400)])
async def test_a_variable_that_is_too_long_is_an_error(opened: Opened, digits: int, status: int) -> None:
    body = '{"query": "query($n: Int) { orders(limit: $n) { id } }", "variables": {"n": %s}}' % ("9" * digits)
    async with opened() as served:
        answer = await served.client.post("/graphql", content=body, headers={"Content-Type": "application/json"})

        assert (answer.status_code, "errors" in answer.json() or "error" in answer.json()) == (status, True)


async def test_a_long_document_is_refused(opened: Opened) -> None:
    async with opened() as served:
        answer = await asked(served, "{ orders { " + "id " * 2000 + "} }")
        assert answer["errors"][0]["extensions"]["code"] == "RequestUnparsable"


INTROSPECTION = "{ __schema { types { name fields { name type { name ofType { name ofType { name } } } } } } }"


async def test_the_schema_can_be_asked_for_itself_on_loopback_only(opened: Opened) -> None:
    async with opened() as served:
        types = (await asked(served, INTROSPECTION))["data"]["__schema"]["types"]
        assert {"Order", "OrderInput", "AWSDateTime"} <= {kind["name"] for kind in types}


async def test_the_schema_cannot_be_asked_for_from_other_machines(opened: Opened) -> None:
    async with opened(HOST="0.0.0.0", TOKEN="a-long-random-secret") as served:
        served.client.headers["Authorization"] = "Bearer a-long-random-secret"
        assert (await asked(served, INTROSPECTION))["errors"][0]["extensions"]["code"] == "DocumentInvalid"
        assert await asked(served, "{ __typename orders { id } }") == {"data": {"__typename": "Query", "orders": []}}


# ── over HTTP (https://graphql.github.io/graphql-over-http/draft/) ────────────────────────────────────────────────


async def get(served: Served, **params: str) -> httpx.Response:
    return await served.client.get("/graphql", params=params)


async def test_a_query_may_be_in_the_address(opened: Opened) -> None:
    async with opened() as served:
        answer = await get(served, query="query($n: Int) { orders(limit: $n) { id } }", variables='{"n": 1}')
        assert (answer.status_code, answer.json()) == (200, {"data": {"orders": []}})


async def test_an_address_changes_nothing(opened: Opened) -> None:
    async with opened() as served:
        answer = await get(served, query=FIRST)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
        assert (await served.client.get("/orders")).json()["items"] == []


@pytest.mark.parametrize("params", [{}, {"query": "{ orders { id } }", "variables": "{"}, {"variables": "{}"}])
async def test_an_address_without_a_request_is_unparsable(opened: Opened, params: dict[str, str]) -> None:
    async with opened() as served:
        assert (await get(served, **params)).status_code == 400


@pytest.mark.parametrize("body", ["", "{", "[]", "{}", '{"query": 1}', '{"query": "{a}", "variables": []}', "null"])
async def test_a_body_without_a_request_is_unparsable(opened: Opened, body: str) -> None:
    async with opened() as served:
        headers = {"Content-Type": "application/json"}
        answer = await served.client.post("/graphql", content=body, headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (400, "RequestUnparsable")


async def test_a_form_of_another_page_cannot_post(opened: Opened) -> None:
    async with opened() as served:
        assert (await served.client.post("/graphql", data={"query": FIRST})).status_code == 415


async def test_who_takes_the_newer_media_type_sees_in_the_status_whether_it_was_carried_out(opened: Opened) -> None:
    newer = "application/graphql-response+json"
    async with opened() as served:
        headers = {"Accept": f"{newer}, application/json;q=0.9"}
        for query, status in (("{ orders { id } }", 200), ("{", 400), ('mutation { deleteOrder(id: "x") }', 200)):
            answer = await served.client.post("/graphql", json={"query": query}, headers=headers)
            assert (answer.status_code, answer.headers["Content-Type"]) == (status, newer)


async def test_other_methods_are_told_which_are_taken(opened: Opened) -> None:
    async with opened() as served:
        answer = await served.client.put("/graphql", json={"query": FIRST})
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, POST")


async def test_a_mutation_that_was_refused_for_now_says_so_by_its_status_too(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened() as served:
        monkeypatch.setattr(units, "QUEUE_LIMIT", -1)  # no room for any
        document = 'mutation { postOrder(input: {name: "Burger", quantity: 1, restaurantId: "r"}) { id } }'
        refused = await served.client.post("/graphql", json={"query": document})

        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
        assert refused.json()["errors"][0]["errorType"] == "TooBusy"

        both = document.replace("{ postOrder", '{ other: deleteOrder(id: "x") postOrder')
        assert (await served.client.post("/graphql", json={"query": both})).status_code == 200
