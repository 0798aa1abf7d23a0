"""Orders through the emulated stack while AWS has faults; then each is looked at.

    python -m tests.aws.local.campaign [--orders 2000]      (make faults-aws)

Every accepted order must end well: nothing but AWS goes wrong here, and AWS comes back. Nobody is charged twice, and
the ledger, the payment provider and the orders say the same.
"""

import argparse
import itertools
import json
import random
import sys
import tempfile
import threading
import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import boto3
import urllib3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from expediter.api.access import TokenClaims, caller_of
from expediter.app.idempotency import own_id
from expediter.aws.stores.items import order_of
from infra.api.openapi import template as mapping
from infra.app import application
from infra.bundle import bundle
from tests.aws.local.cloud import HASTE
from tests.aws.local.faults import Call, Fault, Proxy, Rule, proxy
from tests.aws.local.gateway import Call as Request
from tests.aws.local.town import ANN, REGION, Town, cloud
from tests.aws.stage import record_of
from tests.infra.made import HERE
from tests.support.patience import until
from tests.support.town import Town as Outside
from tests.support.town import standing as outside_standing

ORDER = json.dumps({"user_id": ANN, "restaurant_id": "Restaurant 4", "quantity": "3"})
TOTAL = 3000
#: Orders under way at once. Here each function has one process: with more, calls would wait for their turn until they
#: are timed out, which they do not on AWS.
WIDTH = 24
#: The services that an order's way calls.
SERVICES = ("sqs", "states", "lambda", "dynamodb", "secretsmanager")
#: Seconds of an outage of a minute: the waits of the workflow and of the queue are shortened. The SDK's own are not, so
#: it lasts four times as long as that.
MINUTE = 4 * 60 / HASTE
#: Seconds within which an order ends, however often something fails.
PATIENCE = 240.0
#: Seconds between two looks: each is a call.
PAUSE = 0.3
#: How often a call meets a fault, in all its tries or in one.
SHARE = 0.05
#: Orders at random on one stack.
SLICE = 107


class Campaign:
    """``step`` is called whenever an order has ended. ``faults`` counts the tries of calls that met one."""

    def __init__(self, town: Town, outside: Outside, front: Proxy, step: Callable[[], None] = lambda: None) -> None:
        self.town = town
        self._outside = outside
        self._front = front
        self._step = step
        self._under_way: deque[str] = deque()
        self._restarts = self.faults = 0
        self.orders: list[str] = []
        session = boto3.Session("testing", "testing", region_name=REGION)
        once = Config(read_timeout=80, retries={"total_max_attempts": 1})
        self._sqs = session.client("sqs", endpoint_url=front.url, config=once)
        self._lambda = session.client("lambda", endpoint_url=front.url, config=once)
        # A message that was not given back comes again as much sooner as everything else.
        seconds = str(-(-180 // HASTE))
        town.client("sqs").set_queue_attributes(QueueUrl=town.queue, Attributes={"VisibilityTimeout": seconds})

    # ── what happens by itself on AWS ─────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def polled(self) -> Iterator[None]:
        """Inside, the event source takes messages from the queue and calls the intake."""
        ended = threading.Event()

        def poll() -> None:
            while not ended.is_set():
                try:
                    if not self._poll():
                        ended.wait(0.2)
                except (BotoCoreError, ClientError):
                    ended.wait(0.2)

        thread = threading.Thread(target=poll)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _poll(self) -> int:
        """As Lambda does it: a batch of five, and what did not fail is deleted. A failed call leaves the messages."""
        asked: Any = {"QueueUrl": self.town.queue, "MaxNumberOfMessages": 5}
        everything: Any = {"MessageAttributeNames": ["All"], "MessageSystemAttributeNames": ["All"]}
        got = self._sqs.receive_message(**asked, **everything).get("Messages", [])
        if got:
            event = json.dumps({"Records": [record_of(message) for message in got]})
            answer = self._lambda.invoke(FunctionName=self.town._output("FunctionsIntake"), Payload=event)
            said = json.loads(answer["Payload"].read())
            failed = {failure["itemIdentifier"] for failure in said.get("batchItemFailures", [])}
            if "errorType" not in said:
                for message in got:
                    if message["MessageId"] not in failed:
                        self._sqs.delete_message(QueueUrl=self.town.queue, ReceiptHandle=message["ReceiptHandle"])
        return len(got)

    # ── orders ────────────────────────────────────────────────────────────────────────────────────────────────────

    def place(self) -> str:
        """An order that was accepted: its customer repeats it under its key until it is."""
        key = str(uuid.uuid4())
        until(lambda: self._post(key), f"the order under {key} is accepted")
        order_id = own_id(caller_of(TokenClaims(ANN)), key)
        self.orders.append(order_id)
        self._under_way.append(order_id)
        if len(self._under_way) >= WIDTH:
            for _ in range(WIDTH // 2):
                self._end()
        return order_id

    def _post(self, key: str) -> bool:
        call = Request(ORDER, {"Idempotency-Key": key}, {"sub": ANN}, request_id=key)
        form = call.render(mapping("post_order.request.vtl"))
        account, name = self.town.queue.split("/")[-2:]
        signed = f"AWS4-HMAC-SHA256 Credential=testing/20260101/{REGION}/sqs/aws4_request"
        try:
            answer = urllib3.request(
                "POST",
                f"{self._front.url}/{account}/{name}",
                body=form.encode(),
                headers={"Content-Type": "application/x-www-form-urlencoded", "Authorization": signed},
                retries=False,
                timeout=30,
            )
        except urllib3.exceptions.HTTPError:
            return False
        return answer.status == 200

    def finish(self) -> None:
        """Waits for every order's end, and until no message is left: one that came twice is taken twice."""
        while self._under_way:
            self._end()
        until(lambda: not self._left(self.town.queue), "the queue is empty", PATIENCE)

    def _left(self, url: str) -> int:
        """The messages of the queue that wait, are delayed or are being worked on."""
        asked: Any = {"QueueUrl": url, "AttributeNames": ["All"]}
        counts = self.town.client("sqs").get_queue_attributes(**asked)["Attributes"]
        return sum(int(value) for key, value in counts.items() if key.startswith("ApproximateNumberOfMessages"))

    def _end(self) -> None:
        self.town.ended(self._under_way.popleft(), PATIENCE, PAUSE)
        self._step()

    # ── campaigns ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _restart(self) -> None:
        """Functions begin anew, and read their secrets again."""
        self._restarts += 1
        for name in ("ProcessPayment", "SendOrderToRestaurant"):
            self.town.tell(name, hold_seconds=str(self._restarts))

    def way(self) -> list[str]:
        """The calls of an order that meets no fault, in their order."""
        self._restart()
        self._front.forget()
        self.place()
        self.finish()
        return [str(call) for call in self._calls()]

    def _calls(self) -> list[Call]:
        """Each call once, however often it was tried; without the poller's, which it makes all the time."""
        found: dict[str, Call] = {}
        for call in list(self._front.calls):
            if call.operation != "ReceiveMessage":
                found.setdefault(call.id or str(len(found)), call)
        return list(found.values())

    def one_by_one(self, way: list[str]) -> None:
        """One order for each call of the way and each fault: all tries of that call meet it."""
        for (number, name), fault in itertools.product(enumerate(way), Fault):
            if name.startswith("secretsmanager"):
                self._restart()
            self._front.forget()
            with self._front.under(self._only(name, way[:number].count(name), fault)):
                self.place()
                self.finish()
            self.faults += sum(self._front.met.values())

    def _only(self, name: str, before: int, fault: Fault) -> Rule:
        """A rule: the call of this name meets the fault that comes after so many others of it."""

        def rule(call: Call) -> Fault | None:
            known = [it for it in self._calls() if str(it) == name]
            meant = known[before] if len(known) > before else None
            return fault if meant and (call is meant or call.id == meant.id != "") else None

        return rule

    def at_random(self, orders: int, share: float = SHARE) -> None:
        self._front.forget()
        with self._front.under(at_random(share)):
            for _ in range(orders):
                self.place()
            self.finish()
        self.faults += sum(self._front.met.values())

    def outage(self, service: str, orders: int) -> None:
        """No call to the service is done for a minute, while orders come and are under way."""
        self._front.forget()
        self._restart()
        for _ in range(orders // 2):
            self.place()
        begun = monotonic()

        def rule(call: Call) -> Fault | None:
            return Fault.THROTTLED if call.service == service and monotonic() - begun < MINUTE else None

        with self._front.under(rule):
            for _ in range(orders - orders // 2):
                self.place()
            until(lambda: monotonic() - begun > MINUTE, "the minute is over")
        self.finish()
        self.faults += sum(self._front.met.values())

    # ── what is looked at ─────────────────────────────────────────────────────────────────────────────────────────

    def wrong(self) -> list[str]:
        """What is not as it has to be: one sentence each."""
        self.finish()
        ours = {*self.orders}
        orders = {row["id"]["S"]: order_of(row).status for row in self._rows("StoreOrders")}
        entries = Counter[tuple[str, str, int]]()
        for row in self._rows("StoreLedger"):
            entries[row["order_id"]["S"], row["kind"]["S"], int(row["amount"]["N"])] += 1
        moves = Counter((it.order_id, it.kind, it.amount) for it in self._outside.bank.movements if it.order_id in ours)
        cooked = self._outside.kitchen.cooking
        told = [f"{one} is {orders.get(one, 'not there')}" for one in self.orders if orders.get(one) != "SUCCESS"]
        told += [f"{one} was not handed over" for one in self.orders if one not in cooked]
        wanted = Counter({(one, "charge", TOTAL): 1 for one in self.orders})
        for it in moves.keys() | wanted.keys() | entries.keys():
            if not moves[it] == entries[it] == wanted[it]:
                told.append(f"{it}: wanted {wanted[it]}, the provider has {moves[it]}, the ledger {entries[it]}")
        if dead := self._left(self.town.dead):
            told.append(f"{dead} messages are dead letters")
        return told

    def _rows(self, table: str) -> Iterator[Any]:
        scan = self.town.client("dynamodb").get_paginator("scan")
        for page in scan.paginate(TableName=self.town._output(table)):
            yield from page["Items"]


def at_random(share: float) -> Rule:
    """A rule: half of the faults meet every try of a call, half of them one try."""

    def rule(call: Call) -> Fault | None:
        whole = random.Random(call.id)
        chance = whole if call.id and whole.random() < share / 2 else random
        if chance is random and random.random() >= share / 2:
            return None
        return chance.choice(list(Fault))

    return rule


@contextmanager
def standing(
    template: Any, code: Path, folder: Path, outside: Outside, step: Callable[[], None] = lambda: None
) -> Iterator[Campaign]:
    """The stack, up behind the proxy, with its poller."""
    providers = {"Payments": outside.settings["PAYMENTS"], "Restaurant": outside.settings["RESTAURANT"]}
    with proxy() as front, cloud(code, folder, front.url) as endpoint:
        front.behind = endpoint
        town = Town(template, folder, endpoint, Email="operators@example.com", HoldSeconds="0", **providers)
        campaign = Campaign(town, outside, front, step)
        with campaign.polled():
            yield campaign


def parts(orders: int) -> Iterator[tuple[str, Callable[[Campaign], None]]]:
    """What is done, each on a stack of its own: moto copies whole tables, so that one for all would be ever slower."""

    def each(campaign: Campaign) -> None:
        campaign.one_by_one(campaign.way())

    def outages(campaign: Campaign) -> None:
        for service in SERVICES:
            campaign.outage(service, 40)

    yield "one call after the other", each
    yield "a minute's outage of each service", outages
    for _ in range(-(-(orders - 288) // SLICE)):
        yield "at random", lambda campaign: campaign.at_random(SLICE)


def _run(campaign: Campaign, part: Callable[[Campaign], None]) -> list[str]:
    """What is wrong after the part. What was waited for and never came ends this part only."""
    try:
        part(campaign)
        return campaign.wrong()
    except AssertionError as never:
        return [str(never)]


def main(orders: int) -> int:
    """Runs all parts; how many things are wrong."""
    folder = Path(tempfile.mkdtemp())
    application("dev", folder).synth()
    template = json.loads((folder / "Orders-dev.template.json").read_text())
    code = bundle(folder / "code", HERE)
    wrong: list[str] = []
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with outside_standing() as outside, Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("orders", total=orders)
        for number, (name, part) in enumerate(parts(orders)):
            bar.update(task, description=name)
            begun = monotonic()
            logs = folder / str(number)
            logs.mkdir()
            with standing(template, code, logs, outside, lambda: bar.advance(task)) as campaign:
                found = _run(campaign, part)
            told = f"{len(campaign.orders)} orders, {campaign.faults} faults, {len(found)} wrong"
            print(f"{name}: {told}, {monotonic() - begun:.0f} s", *found, sep="\n  ", flush=True)
            wrong += found
    return len(wrong)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--orders", type=int, default=2000)
    sys.exit(bool(main(options.parse_args().orders)))
