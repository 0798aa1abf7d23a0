"""Errors as the APIs show them."""

import json
from collections.abc import Iterator

import pytest

from expediter.api.errors import STATUSES, MethodNotAllowed, problem, title
from expediter.app.access import Scope, ScopeMissing
from expediter.domain.errors import Fault, OrderError, OrderInvalid, TooBusy
from tests.api.conftest import header


def below(kind: type[OrderError]) -> Iterator[type[OrderError]]:
    for child in kind.__subclasses__():
        yield child
        yield from below(child)


def made(kind: type[OrderError]) -> OrderError:
    if issubclass(kind, OrderInvalid):
        return kind((Fault("a", "b"),))
    if issubclass(kind, ScopeMissing):
        return kind(Scope.DLQ)
    return kind("GET") if issubclass(kind, MethodNotAllowed) else kind()


def test_every_error_has_a_status() -> None:
    assert set(STATUSES) == set(below(OrderError))


@pytest.mark.parametrize("kind", STATUSES, ids=lambda kind: kind.__name__)
def test_a_problem_carries_the_error_s_name_and_says_what_to_do(kind: type[OrderError]) -> None:
    response = problem(made(kind))
    body = json.loads(response.body)
    assert response.status == body["status"] == STATUSES[kind]
    assert header(response, "Content-Type") == "application/problem+json"
    assert body["type"].endswith(kind.__name__)
    assert body["error"] == kind.__name__
    assert body["detail"].endswith(".")
    assert "errors" not in body or body["errors"] == [{"path": "a", "message": "b"}]


@pytest.mark.parametrize("kind", [kind for kind, status in STATUSES.items() if status == 503])
def test_who_has_to_wait_is_told_how_long(kind: type[OrderError]) -> None:
    assert header(problem(made(kind)), "Retry-After") == "1"


def test_what_is_said_of_being_busy_is_true_of_reads_too() -> None:
    detail = json.loads(problem(TooBusy()).body)["detail"]
    assert "order" not in detail
    assert "accepted" not in detail


def test_a_title_is_the_name_in_words() -> None:
    assert title("IdempotencyKeyReused") == "Idempotency key reused"
