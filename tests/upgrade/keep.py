"""Keeps what a release leaves in its file, so that later code can be held to it: ``python -m tests.upgrade.keep``.

Plays orders into every state that an order can be in when a server is stopped for an upgrade, each named by its user,
and writes the database as SQL, and beside it what the providers remember. Run it once for each release, before the tag:
what is in ``releases/`` already is never written again.
"""

import asyncio
import json
import sys
import tempfile
from contextlib import ExitStack, closing
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import apsw
import apsw.shell

from demo.bank import Bank
from demo.behaviour import Act
from demo.restaurant import Restaurant
from demo.serving import running
from expediter import __version__
from expediter.app.operator import actions
from expediter.app.operator.audit import Operator
from expediter.asl.protocol import Json
from expediter.embedded.clock import new_id
from expediter.embedded.settings import workflow
from expediter.embedded.sqlite.backup import back_up
from tests.support.clock import VirtualClock
from tests.support.stage import SECOND, Stage, opened
from tests.support.town import Town
from tests.support.waiting import waiting

RELEASES = Path(__file__).parent / "releases"
#: The mail server that nobody runs: mails wait to be sent.
SETTINGS = {"NOTIFY": "ops@example.com", "SMTP_URL": "smtp://127.0.0.1:9"}


class Play(NamedTuple):
    """Where the data lies, the time, and the providers."""

    data: Path
    clock: VirtualClock
    town: Town


def addresses(town: Town) -> dict[str, str]:
    return {"PAYMENTS": town.settings["PAYMENTS"], "RESTAURANT": town.settings["RESTAURANT"]}


def impatient() -> Json:
    """A refund is given up at once, so that the order needs an operator."""
    definition = workflow(None)
    definition["States"]["RefundPayment"]["Retry"][0]["MaxAttempts"] = 1
    return definition


def nesting() -> Json:
    """Another workflow runs, for an hour, before the order's begins."""
    definition = workflow(None)
    definition["States"]["Call"] = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Parameters": {"StateMachineArn": "child", "Input": {"wait": 3600}},
        "ResultPath": None,
        "Next": definition["StartAt"],
    }
    return {**definition, "StartAt": "Call"}


CHILD = {"StartAt": "Sit", "States": {"Sit": {"Type": "Wait", "SecondsPath": "$.wait", "End": True}}}


async def other_workflows(play: Play) -> None:
    """Orders on definitions that are not in force any more when the release is stopped."""
    folder = play.data.parent
    (folder / "child.asl.json").write_text(json.dumps(CHILD))
    for definition, act in ((impatient(), needs_operator), (waiting(), waits_for_token), (nesting(), waits_for_child)):
        (folder / "mine.asl.json").write_text(json.dumps(definition))
        mine = {**SETTINGS, **addresses(play.town), "WORKFLOW": str(folder / "mine.asl.json")}
        async with opened(play.data, play.clock, None, **mine) as stage:
            await act(stage, play.town)


async def needs_operator(stage: Stage, town: Town) -> None:
    order_id = new_id()
    town.kitchen.script("handover", Act.REFUSE, order_id=order_id)
    town.bank.script("refund", *[Act.FAIL] * 2, order_id=order_id)
    await stage.accept(order_id, user_id="needs an operator", email="a@example.com")
    await stage.to_the_end(order_id)


async def waits_for_token(stage: Stage, _: Town) -> None:
    await stage.place(user_id="waits for a token", email="b@example.com")
    await stage.pass_time(31 * SECOND)


async def waits_for_child(stage: Stage, _: Town) -> None:
    await stage.place(user_id="waits for a nested execution")


async def ended(stage: Stage, town: Town) -> None:
    """Orders that have ended, one whose refund does not come through, and a message that is not an order."""
    ids = {name: new_id() for name in ("succeeded", "declined", "cancelled", "deleted", "refund pending")}
    town.bank.script("charge", Act.REFUSE, order_id=ids["declined"])
    town.kitchen.script("handover", Act.REFUSE, order_id=ids["refund pending"])
    town.bank.script("refund", *[Act.FAIL] * 50, order_id=ids["refund pending"])
    for name, order_id in ids.items():
        await stage.place(order_id, user_id=name, email="c@example.com")
    await stage.change(ids["succeeded"], restaurant_id="Restaurant 5")
    await stage.home.write_as_operator(
        lambda services: actions.cancel(services, Operator("ada"), ids["cancelled"]), "cancel"
    )
    await stage.send(b"nonsense", order_id=new_id())
    await stage.pass_time(40 * SECOND)
    await stage.delete(ids["deleted"])


async def in_flight(stage: Stage, town: Town) -> None:
    """Orders in the middle of everything; the last one is accepted and not taken in."""
    await stage.place(user_id="in its hold", email="d@example.com", name="Ä")
    await stage.cancel(await stage.place(user_id="cancelled in its hold", email="d@example.com"))
    order_id = new_id()
    town.bank.script("charge", Act.HANG, order_id=order_id)
    await stage.accept(order_id, user_id="call under way", email="e@example.com")
    await stage.until(lambda: "charge" in town.calls(order_id))
    stage.home.engine.dispatcher._stopping = True
    await stage.accept(user_id="queued", email="f@example.com")


def dumped(data: Path) -> str:
    """The database as SQL, without the lines that say who made it on which machine."""
    out, copy = StringIO(), data / "copy.db"
    back_up(data, copy, lambda done, total: None)
    with closing(apsw.Connection(str(copy))) as connection:
        apsw.shell.Shell(db=connection, stdout=out).process_command(".dump")  # type: ignore[no-untyped-call]  # apsw types no shell
    return "".join(line for line in out.getvalue().splitlines(keepends=True) if not line.startswith("--"))


async def played(folder: Path, town: Town) -> str:
    """The database in the middle of the last act."""
    play = Play(folder / "data", VirtualClock(), town)
    await other_workflows(play)
    async with opened(play.data, play.clock, None, **SETTINGS, **addresses(town)) as stage:
        await ended(stage, town)
        await in_flight(stage, town)
        return dumped(play.data)


def keep(version: str, releases: Path = RELEASES) -> None:
    """Writes what the code leaves as this release. Ends the process when the release is kept already."""
    target = releases / f"{version}.sql"
    if target.exists():
        sys.exit(f"{target} exists. What a release left is never written again; raise the version first.")
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        bank, kitchen = Bank(folder / "bank.jsonl"), Restaurant(folder / "restaurant.jsonl")
        bank_url, kitchen_url = stack.enter_context(running(bank)), stack.enter_context(running(kitchen))
        town = Town(bank, kitchen, {"PAYMENTS": bank_url, "RESTAURANT": kitchen_url})
        text = asyncio.run(played(folder, town))
        for provider in ("bank", "restaurant"):
            (releases / f"{version}.{provider}.jsonl").write_bytes((folder / f"{provider}.jsonl").read_bytes())
    target.write_text(text)


if __name__ == "__main__":
    keep(__version__)
