"""Every setting is another one at the next start, while orders wait at every stage: what was promised is kept.

docs/reference/settings.md says of each setting what its change does to orders under way.
"""

import json
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from demo.serving import running
from expediter.app.operator.reconcile import reconcile
from expediter.app.orders import find
from expediter.embedded.clock import new_id
from expediter.embedded.settings import defaults, workflow
from tests.support.clock import VirtualClock
from tests.support.stage import HOUR, OPERATOR, SECOND, Stage, opened, story
from tests.support.town import Act, Town

HOLD = 600
TOLD = (3000, "USD")
STAGES = ("queue", "payment", "hold", "handover", "refund")


class Ways(NamedTuple):
    """The bank and the restaurant under two addresses each, as when they moved."""

    payments: tuple[str, str]
    restaurant: tuple[str, str]


@pytest.fixture
def ways(town: Town) -> Iterator[Ways]:
    with running(town.bank) as bank, running(town.kitchen) as kitchen:
        yield Ways((town.settings["PAYMENTS"], bank), (town.settings["RESTAURANT"], kitchen))


def marked(folder: Path, mark: str) -> str:
    """The order's workflow with a state of this name before its payment."""
    definition = workflow(None)
    definition["States"]["InitializeOrder"]["Next"] = mark
    definition["States"][mark] = {"Type": "Pass", "Next": "ProcessPayment"}
    path = folder / f"{mark}.asl.json"
    path.write_text(json.dumps(definition))
    return str(path)


def before(folder: Path, ways: Ways) -> dict[str, str]:
    return {
        "ENV": "",
        "HOST": "127.0.0.1",
        "PORT": "8081",
        "PAYMENTS": ways.payments[0],
        "RESTAURANT": ways.restaurant[0],
        "PAYMENTS_TOKEN": "one",
        "PAYMENTS_WEBHOOK_SECRET": "one",
        "PAYMENT_WAIT_SECONDS": "600",
        "STRIPE_WEBHOOK_SECRET": "one",
        "STRIPE_KEY": "sk_one",
        "STRIPE_URL": "https://one.example",
        "RESTAURANT_SECRET": "one",
        "SMTP_URL": "smtp://127.0.0.1:9",
        "TOKEN": "a long token, the first one",
        "WORKFLOW": marked(folder, "First"),
        "KEEP_DAYS": "30",
        "TRUSTED_PROXIES": "127.0.0.1",
        "LINK_DAYS": "30",
        "OIDC_ISSUER": "http://127.0.0.1:9/one",
        "OIDC_AUDIENCE": "one",
        "OIDC_OPERATORS_CLAIM": "one",
        "OIDC_CLIENT_ID": "one",
        "HOLD_SECONDS": str(HOLD),
        "DEFAULT_PRICE": "1000",
        "CURRENCY": "USD",
        "NOTIFY": "first@example.com",
    }


def after(folder: Path, ways: Ways) -> dict[str, str]:
    return {
        "ENV": "production",
        "HOST": "localhost",
        "PORT": "8082",
        "PAYMENTS": ways.payments[1],
        "RESTAURANT": ways.restaurant[1],
        "PAYMENTS_TOKEN": "two",
        "PAYMENTS_WEBHOOK_SECRET": "two",
        "PAYMENT_WAIT_SECONDS": "1200",
        "STRIPE_WEBHOOK_SECRET": "two",
        "STRIPE_KEY": "sk_two",
        "STRIPE_URL": "https://two.example",
        "RESTAURANT_SECRET": "two",
        "SMTP_URL": "smtp://127.0.0.1:10",
        "TOKEN": "a long token, the second one",
        "WORKFLOW": marked(folder, "Second"),
        "KEEP_DAYS": "60",
        "TRUSTED_PROXIES": "127.0.0.2",
        "LINK_DAYS": "60",
        "OIDC_ISSUER": "http://127.0.0.1:9/two",
        "OIDC_AUDIENCE": "two",
        "OIDC_OPERATORS_CLAIM": "two",
        "OIDC_CLIENT_ID": "two",
        "HOLD_SECONDS": "0",
        "DEFAULT_PRICE": "2000",
        "CURRENCY": "JPY",
        "NOTIFY": "second@example.com",
    }


async def wait_at_every_stage(stage: Stage, town: Town) -> dict[str, str]:
    """Places an order for each stage and lets it come there; their ids."""
    ids = {name: new_id() for name in STAGES}
    town.kitchen.script("handover", *[Act.FAIL] * 3, order_id=ids["handover"])
    town.kitchen.script("handover", Act.REFUSE, order_id=ids["refund"])
    town.bank.script("refund", *[Act.FAIL] * 3, order_id=ids["refund"])
    await stage.place(ids["handover"])
    await stage.place(ids["refund"])
    await stage.pass_time(HOLD * SECOND)
    town.bank.script("charge", Act.LOSE, order_id=ids["payment"])
    town.bank.script("lookup", *[Act.FAIL] * 3, order_id=ids["payment"])
    await stage.place(ids["payment"])
    await stage.place(ids["hold"])
    stage.home.engine.dispatcher._stopping = True
    await stage.accept(ids["queue"])
    return ids


@asynccontextmanager
async def killed(folder: Path, town: Town, ways: Ways, clock: VirtualClock) -> AsyncIterator[dict[str, str]]:
    """The ids of orders at every stage; their file is in ``folder / "later"`` as a process left it that was killed."""
    async with opened(folder / "data", clock, None, **before(folder, ways)) as stage:
        ids = await wait_at_every_stage(stage, town)
        (folder / "later").mkdir()
        for file in (folder / "data").glob("expediter.db*"):
            if not file.name.endswith("-shm"):
                shutil.copy(file, folder / "later")
        stage.home.engine.dispatcher._stopping = True
        states = {name: stage.states(order_id)[-1:] for name, order_id in ids.items()}
    assert states == {
        "queue": [],
        "payment": ["ProcessPayment"],
        "hold": ["Hold"],
        "handover": ["SendOrderToRestaurant"],
        "refund": ["RefundPayment"],
    }
    yield ids


def test_every_setting_is_changed(tmp_path: Path, ways: Ways) -> None:
    one, two = before(tmp_path, ways), after(tmp_path, ways)

    assert {f"EXPEDITER_{name}" for name in (*one, "DATA")} == defaults().keys()
    assert one.keys() == two.keys()
    assert {name for name in one if one[name] == two[name]} == set()


@story
async def test_orders_at_every_stage_keep_price_currency_and_hold_and_meet_what_is_meant_to_change(
    tmp_path: Path, town: Town, ways: Ways
) -> None:
    clock = VirtualClock()
    async with (
        killed(tmp_path, town, ways, clock) as ids,
        opened(tmp_path / "later", clock, None, **after(tmp_path, ways)) as stage,
    ):
        for name, order_id in ids.items():
            known = stage.home.read(partial(find, caller=OPERATOR, order_id=order_id))
            assert (known.total, known.currency) == TOLD, name
        await stage.pass_time((HOLD - 60) * SECOND)
        assert {stage.status(ids[name]) for name in ("queue", "payment", "hold")} == {"PAID"}
        for order_id in ids.values():
            await stage.to_the_end(order_id, HOUR)

        for name, order_id in ids.items():
            order, entries = stage.order(order_id), stage.entries(order_id)
            assert order.status == ("FAILED" if name == "refund" else "SUCCESS"), name
            assert (order.total, order.currency) == TOLD, name
            assert {(entry.amount, entry.currency) for entry in entries} == {TOLD}, name
            assert town.taken(order_id) == stage.held(order_id), name
            assert [mail.recipient for mail in stage.mails(order_id)] == ["second@example.com"], name
            assert ("First" in stage.states(order_id)) == (name != "queue"), name
            assert ("Second" in stage.states(order_id)) == (name == "queue"), name
        assert stage.home.read(lambda work: reconcile(work.orders.with_entries())).clean


@story
async def test_the_same_key_is_answered_as_before_under_other_settings(tmp_path: Path, town: Town, ways: Ways) -> None:
    clock = VirtualClock()
    async with (
        killed(tmp_path, town, ways, clock) as ids,
        opened(tmp_path / "later", clock, None, **after(tmp_path, ways)) as stage,
    ):
        for order_id in ids.values():
            await stage.accept(order_id)
        await stage.quiet()

        assert {(stage.order(order_id).total, stage.order(order_id).currency) for order_id in ids.values()} == {TOLD}


@story
async def test_waiting_orders_can_be_cancelled_for_their_whole_hold(tmp_path: Path, town: Town, ways: Ways) -> None:
    """The hold is over at once under the later settings; theirs is not."""
    clock, waiting = VirtualClock(), ("queue", "payment", "hold")
    async with (
        killed(tmp_path, town, ways, clock) as ids,
        opened(tmp_path / "later", clock, None, **after(tmp_path, ways)) as stage,
    ):
        await stage.pass_time((HOLD - 60) * SECOND)
        for name in waiting:
            await stage.cancel(ids[name])
        for name in waiting:
            order = await stage.to_the_end(ids[name])
            assert (order.status, stage.held(order.id), town.taken(order.id)) == ("CANCELLED", 0, 0), name
