"""Moving house: what ended on one machine is on AWS afterwards, once, with its money and its key."""

import json
from pathlib import Path

import msgspec
import pytest
import typer
from typer.testing import CliRunner, Result

from expediter.app.operator.export import ExportedOrder
from expediter.app.operator.reconcile import reconcile
from expediter.app.ports import Claim, Query
from expediter.aws import importer as aws_importer
from expediter.aws.importer import Importer
from expediter.aws.stores.orders import Tables
from expediter.cli.commands.export import export, import_
from expediter.domain.errors import IdempotencyKeyReused, OrderChanged
from expediter.embedded.operator.export import exported_orders
from expediter.embedded.settings import workflow
from tests.aws.world import AwsAdapters
from tests.support.stage import SECOND, Stage, opened, story
from tests.support.values import an_order

TABLES = Tables("orders", "claims", "ledger", "mail")


def run(*arguments: str) -> Result:
    app = typer.Typer()
    app.command("export")(export)
    app.command("import")(import_)
    return CliRunner().invoke(app, arguments)


async def lived_in(stage: Stage) -> list[str]:
    """A home with an order that succeeded, one that was cancelled, and one that was deleted when it had ended."""
    ids = [await stage.place() for _ in range(3)]
    await stage.cancel(ids[1])
    for order_id in ids:
        await stage.to_the_end(order_id)
    await stage.delete(ids[2])
    return ids


@story
async def test_an_import_that_is_repeated_changes_nothing(
    tmp_path: Path, adapters: AwsAdapters, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, file = tmp_path / "data", tmp_path / "orders.jsonl"
    async with opened(data) as stage:
        ids = await lived_in(stage)
        old = {order_id: (stage.order(order_id), stage.entries(order_id)) for order_id in ids}
    assert "3 orders" in run("export", str(file), "--data", str(data)).stdout
    monkeypatch.setattr(aws_importer, "importer_of", lambda _: Importer(adapters.dynamodb, TABLES))

    assert run("import", str(file)).stdout == "3 orders carried over, 0 already there\n"
    assert run("import", str(file)).stdout == "0 orders carried over, 3 already there\n"

    work = adapters.work()
    assert {order_id: (work.orders.find(order_id), work.orders.entries(order_id)) for order_id in ids} == old
    assert [order.id for order in work.orders.page(Query()).items] == [ids[1], ids[0]]
    assert reconcile(work.orders.with_entries()).clean
    with pytest.raises(IdempotencyKeyReused):
        work.claims.claim(Claim(ids[2], "another"))


@story
async def test_an_export_is_refused_while_an_order_is_under_way(tmp_path: Path) -> None:
    file = tmp_path / "orders.jsonl"
    async with opened(tmp_path / "data") as stage:
        await stage.place()
        done = run("export", str(file), "--data", str(tmp_path / "data"))

    assert (done.exit_code, file.exists()) == (1, False)
    assert "Orders under way: 1;" in done.stderr


@story
async def test_an_export_is_refused_while_an_order_needs_an_operator(tmp_path: Path) -> None:
    """Its workflow has ended and it has not: at the new home nothing would go on with it."""
    definition = workflow(None)
    always = {"Variable": "$.order.id", "IsPresent": True, "Next": "OrderNeedsOperator"}
    definition["States"]["Astray"] = {"Type": "Choice", "Choices": [always], "Default": "SendOrderToRestaurant"}
    definition["States"]["Hold"]["Next"] = "Astray"
    other, file = tmp_path / "other.asl.json", tmp_path / "orders.jsonl"
    other.write_text(json.dumps(definition))
    async with opened(tmp_path / "data", WORKFLOW=str(other)) as stage:
        order_id = await stage.place()
        await stage.advance(30 * SECOND)
        await stage.quiet()
        assert stage.status(order_id) == "PAID"
        done = run("export", str(file), "--data", str(tmp_path / "data"))

    assert (done.exit_code, file.exists()) == (1, False)
    assert f"The order {order_id} is PAID and its workflow failed." in done.stderr


@story
async def test_what_is_carried_is_all_there_is(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        ids = await lived_in(stage)
        found = list(exported_orders(tmp_path))

    assert [one.order.id for one in found] == ids
    assert all(len(one.fingerprint) == 64 for one in found)
    assert [len(one.entries) for one in found] == [1, 2, 1]


def test_an_order_that_went_on_in_the_new_home_is_left_alone(adapters: AwsAdapters) -> None:
    importer, one = Importer(adapters.dynamodb, TABLES), ExportedOrder(an_order(version=3), (), "f" * 64)
    assert importer.add(one)
    changed = msgspec.structs.replace(one, order=an_order(version=4))
    with pytest.raises(OrderChanged):
        importer.add(changed)
    with pytest.raises(IdempotencyKeyReused):
        importer.add(msgspec.structs.replace(one, fingerprint="e" * 64))
