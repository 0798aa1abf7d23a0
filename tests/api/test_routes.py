"""From method and path to the operation."""

import pytest

from expediter import contracts
from expediter.api.errors import MethodNotAllowed, PathUnknown
from expediter.api.routes import Router, operations

ROUTER = Router(operations(contracts.read("openapi.json")))


@pytest.mark.parametrize(
    ("method", "path", "operation", "params"),
    [
        ("POST", "/orders", "postOrder", {}),
        ("GET", "/orders/1", "getOrder", {"id": "1"}),
        ("HEAD", "/orders/1", "getOrder", {"id": "1"}),
        ("POST", "/orders/1/cancel", "cancelOrder", {"id": "1"}),
        ("POST", "/dlq/redrive", "redriveDeadLetters", {}),
        ("POST", "/dlq/1/redrive", "redriveDeadLetter", {"id": "1"}),
        ("GET", "/openapi.json", "getOpenapi", {}),
    ],
)
def test_a_call_is_found_with_what_its_path_says(
    method: str, path: str, operation: str, params: dict[str, str]
) -> None:
    assert ROUTER.find(method, path) == (operation, params)


@pytest.mark.parametrize(
    "path", ["/x", "/orders/", "/orders//cancel", "/orders/1/2", "/orders/1/cancel/", "", "orders"]
)
def test_an_unknown_path_is_not_found(path: str) -> None:
    with pytest.raises(PathUnknown):
        ROUTER.find("GET", path)


def test_a_known_path_says_what_it_takes() -> None:
    with pytest.raises(MethodNotAllowed) as refused:
        ROUTER.find("PATCH", "/orders/1")
    assert refused.value.allow == "GET, PUT, DELETE"
