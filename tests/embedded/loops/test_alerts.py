"""Operators are told of each alert about an order once, whatever happens meanwhile."""

import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import apsw
import pytest

from demo.mailserver import MailServer, receiving
from expediter.console.timeline import moments
from expediter.domain.alert import ORDER_TIME, REFUND_TIME
from expediter.domain.errors import StoreUnavailable
from expediter.embedded.engine.dispatcher import INTAKES
from expediter.embedded.loops.alerts import LOOK, MOST
from expediter.embedded.settings import workflow
from expediter.embedded.sqlite.commit_thread import Observer
from tests.console.shop import alarmed
from tests.support.clock import VirtualClock
from tests.support.stage import DAY, HOUR, MINUTE, SECOND, Stage, opened, story
from tests.support.town import Act, Town, standing

OPS = "ops@example.com"


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    with standing() as found:
        yield found


def alerts(stage: Stage) -> list[tuple[str, str]]:
    """The alert and the recipient of every mail about one."""
    sql = "SELECT status, recipient FROM mail WHERE subject LIKE '%Alert%' ORDER BY order_no, status, recipient"
    return stage.read(sql)


async def look(stage: Stage) -> None:
    """Has the loop of alerts look once, and waits until it has."""
    await stage.advance(LOOK)
    await stage.quiet()


@asynccontextmanager
async def alarming(
    folder: Path, clock: VirtualClock | None = None, observer: Observer | None = None, **settings: str
) -> AsyncIterator[Stage]:
    """A home in which every order needs an operator."""
    given = {"NOTIFY": OPS, "PAYMENTS": "simulated:decline=1", "WORKFLOW": alarmed(folder), **settings}
    async with opened(folder, clock, observer, **given) as stage:
        yield stage


def slow(folder: Path) -> str:
    """A workflow that keeps every order for a day, whatever the settings say."""
    definition = workflow(None)
    hold = definition["States"]["Hold"]
    del hold["SecondsPath"]
    hold["Seconds"] = DAY // SECOND
    path = folder / "slow.asl.json"
    path.write_text(json.dumps(definition))
    return str(path)


@story
async def test_a_refund_that_is_owed_for_an_hour_is_reported_once_also_after_a_restart(
    tmp_path: Path, town: Town
) -> None:
    clock = VirtualClock()
    notify = f"{OPS},night@example.com"
    async with opened(tmp_path, clock, HOLD_SECONDS="10", NOTIFY=notify, **town.settings) as stage:
        order_id = await stage.place()
        town.bank.script("refund", *[Act.FAIL] * 200, order_id=order_id)
        await stage.cancel(order_id)
        await stage.pass_time(10 * SECOND)
        tried_at = clock.now()
        await stage.pass_time(REFUND_TIME - LOOK)
        assert alerts(stage) == []
        await stage.pass_time(2 * LOOK)
        assert clock.now() - tried_at < REFUND_TIME + 2 * LOOK
        assert alerts(stage) == [("REFUND_LATE", "night@example.com"), ("REFUND_LATE", OPS)]
        (mail, _) = stage.mails(order_id)
        assert mail.subject == f"Orders-App: Alert for order {order_id}: a refund is owed for too long"
        assert "Since: 2026-08-01T12:00:00.000Z" in mail.text

    async with opened(tmp_path, clock, HOLD_SECONDS="10", NOTIFY=notify, **town.settings) as stage:
        await stage.pass_time(6 * HOUR)
        assert stage.status(order_id) == "REFUND_PENDING"
        assert len(alerts(stage)) == 2


@story
async def test_an_order_that_needs_an_operator_is_reported_once_also_after_a_restart(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = VirtualClock()
    async with alarming(tmp_path, clock) as stage:
        order_id = await stage.place()
        with caplog.at_level(logging.WARNING, "expediter.alerts"):
            await look(stage)
        assert alerts(stage) == [("NEEDS_OPERATOR", OPS)]
        assert [record.__dict__["order_id"] for record in caplog.records] == [order_id]

    async with alarming(tmp_path, clock) as stage:
        await look(stage)
        assert alerts(stage) == [("NEEDS_OPERATOR", OPS)]


@story
async def test_a_late_order_is_reported_and_one_in_time_is_not(tmp_path: Path) -> None:
    async with opened(tmp_path, WORKFLOW=slow(tmp_path), HOLD_SECONDS="60", NOTIFY=OPS) as stage:
        late = await stage.place()
        await stage.pass_time(ORDER_TIME)
        in_time = await stage.place()
        await look(stage)

        assert [mail.status for mail in stage.mails(late)] == ["ORDER_LATE"]
        assert stage.mails(in_time) == []


@story
async def test_an_order_is_not_late_within_the_hold_it_was_promised_when_new_ones_are_held_for_less(
    tmp_path: Path,
) -> None:
    clock = VirtualClock()
    async with opened(tmp_path, clock, HOLD_SECONDS=str(6 * HOUR // SECOND), NOTIFY=OPS) as stage:
        promised = await stage.place()
    async with opened(tmp_path, clock, WORKFLOW=slow(tmp_path), HOLD_SECONDS="60", NOTIFY=OPS) as stage:
        late = await stage.place()
        await stage.pass_time(2 * HOUR)

        assert stage.mails(promised) == []
        assert [mail.status for mail in stage.mails(late)] == ["ORDER_LATE"]


@story
async def test_a_refund_within_a_long_hold_is_not_late(tmp_path: Path) -> None:
    async with opened(tmp_path, HOLD_SECONDS="86400", NOTIFY=OPS) as stage:
        order_id = await stage.place()
        await stage.cancel(order_id)
        await stage.pass_time(6 * HOUR)

        assert stage.status(order_id) == "REFUND_PENDING"
        assert alerts(stage) == []


@story
async def test_an_accepted_order_that_waits_on_the_queue_is_late_too(tmp_path: Path) -> None:
    async with opened(tmp_path, NOTIFY=OPS) as stage:
        stage.home.engine.dispatcher._intakes = {object() for _ in range(INTAKES)}  # as if all were busy for ever
        order_id = await stage.accept()
        stage.clock.advance(30 * SECOND + ORDER_TIME)
        await stage.until(lambda: alerts(stage) == [("ORDER_LATE", OPS)])

        assert [mail.status for mail in stage.mails(order_id)] == ["ORDER_LATE"]
        stage.home.engine.dispatcher._intakes = set()


@story
async def test_an_accepted_order_whose_message_is_a_dead_letter_is_reported(tmp_path: Path) -> None:
    async with opened(tmp_path, NOTIFY=OPS, HOLD_SECONDS="0") as stage:
        order_id = await stage.place()
        await stage.send(b"no JSON", order_id=order_id)
        await stage.pass_time(MINUTE)
        await look(stage)

        assert alerts(stage) == [("DEAD_LETTER", OPS)]


@story
async def test_many_alerts_at_once_are_reported_over_several_rounds(tmp_path: Path) -> None:
    async with alarming(tmp_path) as stage:
        for _ in range(MOST + 1):
            await stage.accept()
        await stage.quiet()
        await look(stage)
        assert len(alerts(stage)) == MOST
        await look(stage)
        assert len(alerts(stage)) == MOST + 1


@story
async def test_without_operators_an_alert_is_only_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with alarming(tmp_path, NOTIFY="") as stage:
        await stage.place()
        with caplog.at_level(logging.WARNING, "expediter.alerts"):
            await look(stage)
            await look(stage)

        assert alerts(stage) == []
        assert len(caplog.records) == 1


@pytest.fixture
def post() -> Iterator[tuple[MailServer, str]]:
    server = MailServer()
    with receiving(server) as url:
        yield server, url


@story
async def test_the_mail_goes_out_like_any_other(tmp_path: Path, post: tuple[MailServer, str]) -> None:
    server, url = post
    async with alarming(tmp_path, SMTP_URL=url) as stage:
        order_id = await stage.place()
        await look(stage)
        await stage.until(lambda: bool(server.mails))

        (mail,) = server.mails
        assert (mail.to, mail.subject) == ((OPS,), f"Orders-App: Alert for order {order_id}: it needs an operator")
        assert mail.message_id == f"<{order_id}.needs_operator.ops=40example=2ecom@expediter>"


@story
async def test_what_could_not_be_stored_is_told_at_a_later_look(tmp_path: Path) -> None:
    disk = FullForAlerts()
    async with alarming(tmp_path, None, disk) as stage:
        await stage.place()
        stage.clock.advance(LOOK)
        while not disk.refused:
            with suppress(StoreUnavailable):
                await stage.home.write(lambda work: None, "look")
        assert alerts(stage) == []
        disk.full = False
        await look(stage)
        assert alerts(stage) == [("NEEDS_OPERATOR", OPS)]


class FullForAlerts:
    """A disk that is full whenever a unit writes that an alert was told."""

    def __init__(self) -> None:
        self.full = True
        self.refused = 0

    def before_commit(self, names: list[str]) -> None:
        if self.full and "alert" in names:
            self.refused += 1
            raise apsw.FullError("database or disk is full")

    def after_commit(self, names: list[str]) -> None:
        """Nothing to see."""


@story
async def test_a_mail_that_was_given_up_is_reported_once_counted_and_shown_on_the_order(
    tmp_path: Path, post: tuple[MailServer, str]
) -> None:
    server, url = post
    server.script(Act.REFUSE, Act.REFUSE, recipient="ann@example.com")
    async with opened(tmp_path, HOLD_SECONDS="0", SMTP_URL=url) as stage:
        order_id = await stage.place(email="ann@example.com")
        await stage.until(lambda: stage.read("SELECT count(*) FROM mail WHERE given_up_at IS NOT NULL") == [(1,)])
        assert "\nexpediter_mails_given_up 1.0\n" in stage.home.metrics().decode()
        clock = stage.clock
    async with opened(tmp_path, clock, HOLD_SECONDS="0", SMTP_URL=url, NOTIFY=OPS) as stage:
        for _ in range(3):
            await look(stage)
        await stage.until(lambda: len(server.mails) == 1)

        assert alerts(stage) == [("MAIL_GIVEN_UP", OPS)]
        assert server.mails[0].subject == f"Orders-App: Alert for order {order_id}: a mail about it was given up"
        lines = stage.home.read_as_operator(lambda services: moments([], [], [], services.mailbox.of(order_id)))
        given_up = [(line.title, line.detail) for line in lines if line.tone == "bad"]
        assert given_up == [("Mail given up", "to ann@example.com: 554 5.6.0 This mail is not wanted")]


@story
async def test_a_mail_of_an_alert_that_is_given_up_is_no_alert_again(
    tmp_path: Path, post: tuple[MailServer, str]
) -> None:
    _, url = post
    async with opened(tmp_path, HOLD_SECONDS="0", SMTP_URL=url, NOTIFY="ops@unknown.invalid") as stage:
        await stage.place(email="ann@unknown.invalid")
        for _ in range(5):
            await look(stage)
            await stage.until(lambda: stage.read("SELECT count(*) FROM mail WHERE next_at IS NOT NULL") == [(0,)])

        assert alerts(stage) == [("MAIL_GIVEN_UP", "ops@unknown.invalid")]
