"""openapi.json is the REST API's source of truth: the code answers what it names, and API Gateway can import it."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from expediter import contracts
from expediter.api.access import NEEDS
from expediter.api.errors import STATUSES, Problem
from expediter.api.render import AuditView, EntryView, LetterView, MailView, OrderView, PaymentView
from expediter.api.rest import LARGEST_PAGE, PAGE
from expediter.app.access import Scope
from expediter.app.drafts import MAX_ITEMS, ChangeDraft, Draft, DraftItem
from expediter.app.field_types import MAX_NAME
from expediter.app.operator.erasing import Erased
from expediter.app.operator.reconcile import Offender
from expediter.app.operator.services import StateCounts
from expediter.domain.currencies import CURRENCIES
from expediter.domain.money import LARGEST_TOTAL
from expediter.domain.order import Status
from expediter.embedded.engine.task_tokens import TaskFailure
from expediter.embedded.web import operations as embedded
from expediter.embedded.web.operations import Kind
from expediter.embedded.web.routes.audit import AuditPage
from expediter.embedded.web.routes.customers import Erasure
from expediter.embedded.web.routes.events import EventView
from expediter.embedded.web.routes.keys import KeyView, NewKey
from expediter.embedded.web.routes.mails import MailList, MailPage, Resend
from expediter.embedded.web.routes.reconciliation import CurrencyView, Reconciliation
from expediter.embedded.web.routes.workflow import NewRouting, NewVersion, VersionView

DOCUMENT: dict[str, Any] = json.loads(contracts.read("openapi.json"))
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def every_value(value: Any) -> Iterator[Any]:
    yield value
    for held in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from every_value(held)


def test_every_operation_of_the_contract_is_answered_and_nothing_else() -> None:
    named = [operation["operationId"] for _, _, operation in operations()]
    assert sorted(named) == sorted(embedded.OPERATIONS)


def test_an_operation_writes_exactly_when_its_method_does() -> None:
    writing = {operation["operationId"] for _, method, operation in operations() if method != "get"}
    kinds = {Kind.WRITE, Kind.ACT, Kind.STEPS}
    assert writing == {name for name, operation in embedded.OPERATIONS.items() if operation.kind in kinds}


def test_every_operation_says_whether_it_asks_for_a_token_and_which_scope_that_needs() -> None:
    for _, _, operation in operations():
        need = NEEDS[operation["operationId"]]
        assert operation["security"] == ([] if need == "nothing" else [{"token": []}])
        assert operation.get("x-scope", "token" if operation["security"] else "nothing") == need
        assert need == "nothing" or {"401", "403"} <= set(operation["responses"])
    assert DOCUMENT["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    assert SCHEMAS["Scope"]["enum"] == list(Scope)


def test_api_gateway_can_import_it() -> None:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html"""
    assert DOCUMENT["openapi"] == "3.0.1"
    assert [path for path in DOCUMENT["paths"] if not re.fullmatch(r"(/([\w.,:-]+|\{\w+\}))+", path)] == []
    assert [name for name in SCHEMAS if not name.isalnum()] == []
    unsupported = {"anyOf", "discriminator", "example", "exclusiveMinimum", "readOnly", "deprecated", "default:"}
    keys = {key for value in every_value(DOCUMENT) if isinstance(value, dict) for key in value}
    assert keys & unsupported == set()


def test_every_answer_is_named_by_its_own_status() -> None:
    for _, _, operation in operations():
        assert all(re.fullmatch(r"[2345]\d\d", status) for status in operation["responses"])


def test_every_reference_leads_somewhere() -> None:
    references = {value["$ref"] for value in every_value(DOCUMENT) if isinstance(value, dict) and "$ref" in value}
    assert {reference.removeprefix("#/components/schemas/") for reference in references} <= set(SCHEMAS)


def test_a_problem_is_named_only_where_an_error_has_that_status() -> None:
    for _, _, operation in operations():
        for status, response in operation["responses"].items():
            if "application/problem+json" in response.get("content", {}):
                assert int(status) in STATUSES.values()


def test_what_is_shown_has_exactly_the_fields_of_the_contract() -> None:
    shown = {
        "Order": OrderView,
        "DeadLetter": LetterView,
        "LedgerEntry": EntryView,
        "Mail": MailView,
        "MailList": MailList,
        "MailPage": MailPage,
        "AuditEntry": AuditView,
        "AuditPage": AuditPage,
        "DeadEvent": EventView,
        "Payment": PaymentView,
        "Problem": Problem,
        "Erased": Erased,
        "Key": KeyView,
        "Reconciliation": Reconciliation,
        "CurrencySums": CurrencyView,
        "Offender": Offender,
        "WorkflowVersion": VersionView,
        "StateCounts": StateCounts,
    }
    for name, view in shown.items():
        assert tuple(SCHEMAS[name]["properties"]) == view.__struct_fields__


def test_an_order_is_shown_with_the_fields_of_the_design() -> None:
    fields = (
        "id user_id restaurant_id name quantity items total currency order_status error_message created_at updated_at "
        "metadata payment"
    )
    assert list(OrderView.__struct_fields__) == fields.split()


@pytest.mark.parametrize(
    ("form", "schemas"),
    [
        (Draft, ("NewPlainOrder", "NewOrderOfItems")),
        (ChangeDraft, ("PlainChange", "ChangeOfItems")),
        (DraftItem, ("NewItem",)),
        (TaskFailure, ("TaskFailure",)),
        (Erasure, ("Erasure",)),
        (NewKey, ("NewKey",)),
        (Resend, ("Resend",)),
        (NewVersion, ("NewVersion",)),
        (NewRouting, ("NewRouting",)),
    ],
)
def test_what_is_taken_has_exactly_the_fields_of_the_contract(form: Any, schemas: tuple[str, ...]) -> None:
    named = {field for schema in schemas for field in SCHEMAS[schema]["properties"]}
    assert named == set(form.__struct_fields__)


def test_the_limits_are_the_code_s() -> None:
    assert SCHEMAS["Name"]["maxLength"] == MAX_NAME
    assert SCHEMAS["NewItems"]["maxItems"] == MAX_ITEMS
    assert SCHEMAS["Price"]["maximum"] == LARGEST_TOTAL
    assert SCHEMAS["Currency"]["enum"] == sorted(CURRENCIES)
    assert SCHEMAS["OrderStatus"]["enum"] == list(Status)
    for _, _, operation in operations():
        for parameter in operation.get("parameters", []):
            if parameter["name"] == "limit":
                assert (parameter["schema"]["default"], parameter["schema"]["maximum"]) == (PAGE, LARGEST_PAGE)
