"""A deployed stack from a shell: its tables are found by its outputs, and its books add up."""

import json

import pytest
import typer
from typer.testing import CliRunner, Result

from expediter.app.operator.export import ExportedOrder
from expediter.aws import importer
from expediter.aws.deployed import StackUnknown, tables_of
from expediter.aws.stores.tables import TABLES
from expediter.cli.commands.reconcile import reconcile
from expediter.domain.ledger import EntryKind, LedgerEntry
from expediter.domain.order import Effect, EffectKind, Status
from expediter.domain.order import Result as Known
from tests.aws.stage import Functions
from tests.support.clock import NOON
from tests.support.values import ID, an_order

STACK = "Orders-dev"
CHARGE = LedgerEntry(ID, EntryKind.CHARGE, f"{ID}/charge", 3000, "USD", NOON, "ch_1")
PAID = an_order(status=Status.SUCCESS, version=4, effects={EffectKind.CHARGE: Effect(NOON, Known.DONE, "ch_1")})


def reckoned(*arguments: str) -> Result:
    app = typer.Typer()
    app.command()(reconcile)
    return CliRunner().invoke(app, arguments)


@pytest.fixture
def stack(functions: Functions) -> str:
    """A stack with the tables, named as the CDK names them."""
    made = {}
    for table in TABLES:
        keys = [("HASH", table.hash), *([("RANGE", table.range)] if table.range else [])]
        made[f"Store{table.name.capitalize()}0123ABCD"] = {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "BillingMode": "PAY_PER_REQUEST",
                "KeySchema": [{"AttributeName": name, "KeyType": kind} for kind, name in keys],
                "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for _, name in keys],
            },
        }
    client = functions.adapters.session.client("cloudformation")
    outputs = {f"{key[5:-8]}Table": {"Value": {"Ref": key}} for key in made}
    client.create_stack(StackName=STACK, TemplateBody=json.dumps({"Resources": made, "Outputs": outputs}))
    return STACK


def test_the_tables_are_found_by_the_outputs_of_the_stack(stack: str) -> None:
    found = tables_of(stack)
    assert [name.split("-")[2][:-8] for name in (found.orders, found.claims, found.ledger, found.mail)] == [
        "StoreOrders",
        "StoreClaims",
        "StoreLedger",
        "StoreMail",
    ]


def test_a_stack_is_reconciled(stack: str) -> None:
    importer.importer_of(stack).add(ExportedOrder(PAID, (CHARGE,), "f" * 64))
    done = reckoned("--stack", stack, "--json")
    assert (done.exit_code, json.loads(done.stdout)["clean"]) == (0, True)
    assert json.loads(done.stdout)["currencies"][0]["held"] == 3000


def test_an_order_of_a_stack_without_its_money_is_an_offender(stack: str) -> None:
    importer.importer_of(stack).add(ExportedOrder(PAID, (), "f" * 64))
    done = reckoned("--stack", stack, "--json")
    assert done.exit_code == 1
    assert [it["order_id"] for it in json.loads(done.stdout)["offenders"]] == [ID]


def test_a_stack_that_is_not_there_ends_the_command_with_a_sentence(functions: Functions) -> None:
    with pytest.raises(StackUnknown):
        tables_of("Nowhere")
    done = reckoned("--stack", "Nowhere")
    assert done.exit_code == 2
    assert "AWS cannot describe the stack Nowhere" in done.stderr


def test_without_a_sign_in_no_traceback_is_shown(functions: Functions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    done = reckoned("--stack", STACK)
    assert (done.exit_code, isinstance(done.exception, SystemExit)) == (2, True)
    assert "You must specify a region" in done.stderr
