"""The REST API as an API Gateway that nobody here wrote runs it: import, validation, mapping templates, queue."""

import json
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

import pytest

from expediter import contracts
from expediter.api.rest import OPERATIONS
from infra.api.openapi import EVENTS
from tests.aws.localstack.leg import METHODS, Leg, standing
from tests.infra.made import Made

ORDER = {"user_id": "Jürgen & 🍔", "quantity": "3", "restaurant_id": "Restaurant 4"}
ITEM = {"name": "Burger", "quantity": 1, "unit_price": 350}


@pytest.fixture(scope="module")
def leg(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Leg]:
    with standing(made.read(), tmp_path_factory.mktemp("localstack")) as found:
        yield found


@pytest.fixture
def key() -> str:
    return str(uuid.uuid4())


def items(count: int) -> Any:
    return {"user_id": "ann", "restaurant_id": "Restaurant 4", "items": [ITEM] * count}


def test_following_the_location_of_an_order_reads_that_order(leg: Leg, key: str) -> None:
    placed = leg.call("POST", "/dev/orders", ORDER, Idempotency_Key=f'"{key}"')
    assert (placed.status, placed.headers["Order-Id"]) == (204, key)
    there = urljoin("https://api.example/dev/orders", placed.headers["Location"])
    found = leg.call("GET", there.removeprefix("https://api.example"))
    assert (found.status, found.json()) == (200, {"path": "/orders/{id}", "id": key})


def test_the_queue_has_the_body_byte_for_byte_and_who_sent_it(leg: Leg, key: str) -> None:
    leg.received()
    text = json.dumps(ORDER, ensure_ascii=False)
    assert leg.call("POST", "/dev/orders", text, Idempotency_Key=key).status == 204
    told = {"order_id": key, "caller": "ann", "client_id": "people", "scope": "aws.cognito.signin.user.admin"}
    assert leg.received() == [(text, {**told, "email": "ann@example.com"})]


def test_an_order_without_a_key_gets_the_id_of_its_request(leg: Leg) -> None:
    leg.received()
    placed = leg.call("POST", "/dev/orders", ORDER)
    ((_, told),) = leg.received()
    assert placed.headers["Location"] == f"/dev/orders/{told['order_id']}"


@pytest.mark.parametrize("count", [1, 100])
def test_orders_of_one_and_of_a_hundred_items_are_taken(leg: Leg, count: int) -> None:
    assert leg.call("POST", "/dev/orders", items(count)).status == 204


@pytest.mark.parametrize(
    "body",
    ["no JSON", "", [], {"quantity": 1}, {**ORDER, "quantity": 0}, {**ORDER, "quantity": [1]}, items(0), items(101)],
    ids=["no JSON", "empty", "a list", "fields are missing", "0", "of the wrong type", "0 items", "101 items"],
)
def test_what_is_no_order_is_refused_and_nothing_is_in_the_queue(leg: Leg, body: Any) -> None:
    leg.received()
    assert leg.call("POST", "/dev/orders", body).status == 422
    assert leg.received() == []


def test_another_media_type_is_refused(leg: Leg) -> None:
    leg.received()
    assert leg.call("POST", "/dev/orders", json.dumps(ORDER), Content_Type="text/plain").status == 415
    assert leg.received() == []


def test_a_queue_that_is_gone_is_a_503_that_says_when_to_come_back(leg: Leg, key: str) -> None:
    with leg.without_queue():
        refused = leg.call("POST", "/dev/orders", ORDER, Idempotency_Key=key)
    assert (refused.status, refused.headers["Retry-After"]) == (503, "1")
    assert refused.json()["error"] == "StoreUnavailable"
    assert "Location" not in refused.headers


def test_only_what_is_published_is_there(leg: Leg) -> None:
    every = json.loads(contracts.read("openapi.json"))["paths"]
    ours = {
        path: {it.upper() for it in METHODS & methods.keys() if methods[it]["operationId"] in {*OPERATIONS, *EVENTS}}
        for path, methods in every.items()
    }
    assert {path: methods for path, methods in leg.resources.items() if methods} == {
        path: methods for path, methods in ours.items() if methods
    }
    others = [path for path, methods in ours.items() if not methods]
    assert others
    assert {leg.call("GET", f"/dev{path}").status for path in others} == {404}


def test_every_operation_but_those_of_the_queues_goes_to_the_function(leg: Leg) -> None:
    for path, methods in leg.resources.items():
        if path.startswith("/webhooks/"):
            continue
        for method in sorted(methods - ({"POST"} if path == "/orders" else set())):
            found = leg.call(method, "/dev" + path.replace("{id}", "one"))
            assert (found.status, found.json()["path"]) == (200, path), (method, path)
