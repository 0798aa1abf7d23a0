"""Mails leave the house after they are durable, each until it is taken or refused for good."""

from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import apsw
import pytest

from demo.mailserver import MailServer, receiving
from expediter.app.operator import actions
from expediter.app.operator.audit import Operator
from expediter.domain.errors import OrderInvalid, StoreUnavailable
from expediter.embedded.mail.outbox import PAUSE, RETRY, TRIES, pause_after
from tests.support.stage import HOUR, Stage, opened, story
from tests.support.town import Act

ANN = "ann@example.com"


class Post:
    """A mail server on loopback and the settings that lead a home to it."""

    def __init__(self, server: MailServer, url: str) -> None:
        self.server = server
        self.url = url

    @property
    def ids(self) -> list[str]:
        return [mail.message_id for mail in self.server.mails]


@pytest.fixture
def post() -> Iterator[Post]:
    server = MailServer()
    with receiving(server) as url:
        yield Post(server, url)


@pytest.fixture
def utf8() -> Iterator[Post]:
    server = MailServer(smtputf8=True)
    with receiving(server) as url:
        yield Post(server, url)


def problems(stage: Stage) -> list[tuple[int, bool, bool]]:
    """Of each mail: how often it was tried, whether it was sent, whether it is to be tried again."""
    return stage.read("SELECT tries, sent_at IS NOT NULL, next_at IS NOT NULL FROM mail ORDER BY recipient")


def offers_smtputf8(stage: Stage) -> bool:
    server = stage.home.engine.work().mail_server
    return server is not None and server.smtputf8


def waits_until(stage: Stage, due: int) -> bool:
    return stage.read("SELECT next_at FROM mail") == [(due,)]


@story
async def test_the_customer_and_operators_are_told_of_an_end_once(tmp_path: Path, post: Post) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0", SMTP_URL=post.url, NOTIFY=f"ops@example.com,{ANN}") as stage:
        await stage.place(email=ANN)
        await stage.until(lambda: problems(stage) == [(1, 1, 0), (1, 1, 0)])
        await stage.pass_time(HOUR)

        assert sorted(mail.to for mail in post.server.mails) == [(ANN,), ("ops@example.com",)]


@story
async def test_a_mail_that_is_not_taken_now_is_tried_again_later_under_the_same_id(tmp_path: Path, post: Post) -> None:
    post.server.script(Act.LOSE)
    async with opened(tmp_path, HOLD_SECONDS="0", SMTP_URL=post.url) as stage:
        await stage.place(email=ANN)
        await stage.until(lambda: problems(stage) == [(1, 0, 1)])
        await stage.advance(RETRY - 1)
        assert len(post.ids) == 1

        await stage.advance(1)
        await stage.until(lambda: problems(stage) == [(2, 1, 0)])

        assert len(post.ids) == 2
        assert len(set(post.ids)) == 1


@story
async def test_a_mail_waits_twice_as_long_after_each_try(tmp_path: Path, post: Post) -> None:
    post.server.script(*[Act.LOSE] * 4)
    async with opened(tmp_path, HOLD_SECONDS="0", SMTP_URL=post.url) as stage:
        await stage.place(email=ANN)
        for pause in (RETRY, 2 * RETRY, 4 * RETRY):
            due = stage.clock.now() + pause
            await stage.until(partial(waits_until, stage, due))
            await stage.advance(pause)


def test_a_mail_waits_an_hour_at_most() -> None:
    assert [pause_after(tries) for tries in (0, 1, 9, 10, TRIES)] == [RETRY, 2 * RETRY, 512 * RETRY, HOUR, HOUR]


@story
async def test_a_mail_that_is_refused_for_good_is_given_up(tmp_path: Path, post: Post) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0", SMTP_URL=post.url) as stage:
        await stage.place(email="nobody@unknown.invalid")
        await stage.until(lambda: problems(stage) == [(1, 0, 0)])

        assert post.ids == []
        assert stage.read("SELECT given_up_at FROM mail") == [(stage.clock.now(),)]


@story
async def test_a_mail_that_was_given_up_can_be_sent_once_more(tmp_path: Path, post: Post) -> None:
    post.server.script(Act.REFUSE)
    async with opened(tmp_path, HOLD_SECONDS="0", SMTP_URL=post.url) as stage:
        order_id = await stage.place(email=ANN)
        await stage.until(lambda: problems(stage) == [(1, 0, 0)])
        await stage.home.write_as_operator(
            lambda services: actions.resend(services, Operator("Olga"), order_id, "SUCCESS", ANN), "resend"
        )
        await stage.until(lambda: problems(stage) == [(1, 1, 0)])

        assert stage.read("SELECT given_up_at FROM mail") == [(None,)]


@story
async def test_the_apis_take_what_the_mail_server_takes(tmp_path: Path, utf8: Post) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0", SMTP_URL=utf8.url) as stage:
        await stage.until(partial(offers_smtputf8, stage))
        await stage.place(email="用户@bücher.example")
        await stage.until(lambda: problems(stage) == [(1, 1, 0)])

        assert [mail.to for mail in utf8.server.mails] == [("用户@xn--bcher-kva.example",)]


@story
async def test_a_domain_of_other_letters_is_mailed_in_ascii(tmp_path: Path, post: Post) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0", SMTP_URL=post.url) as stage:
        await stage.place(email="ann@bücher.example")
        await stage.until(lambda: problems(stage) == [(1, 1, 0)])

        assert [mail.to for mail in post.server.mails] == [("ann@xn--bcher-kva.example",)]
        with pytest.raises(OrderInvalid, match="does not offer SMTPUTF8"):
            await stage.accept(email="用户@example.com")


@story
async def test_a_mail_left_behind_by_a_process_goes_out_with_the_next(tmp_path: Path, post: Post) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0", SMTP_URL="smtp://127.0.0.1:9") as stage:
        await stage.place(email=ANN)
        await stage.until(lambda: problems(stage) == [(1, 0, 1)])
        clock = stage.clock
    clock.advance(HOUR)
    async with opened(tmp_path, clock, SMTP_URL=post.url) as stage:
        await stage.until(lambda: problems(stage) == [(2, 1, 0)])

        assert len(post.ids) == 1


class FullForMails:
    """A disk that is full whenever it shall hold what became of a mail."""

    full = True

    def before_commit(self, names: list[str]) -> None:
        if self.full and "mail" in names:
            raise apsw.FullError("database or disk is full")

    def after_commit(self, names: list[str]) -> None:
        """Nothing to see."""


@story
async def test_a_mail_whose_sending_cannot_be_stored_is_not_sent_again_and_again(tmp_path: Path, post: Post) -> None:
    disk = FullForMails()
    async with opened(tmp_path, None, disk, HOLD_SECONDS="0", SMTP_URL=post.url) as stage:
        await stage.accept(email=ANN)
        looks = 0
        while looks < 500:
            with suppress(StoreUnavailable):  # it may have shared the commit of a mail
                await stage.home.write(lambda _: None, "look")
            looks += 1 if post.ids else 0
        assert len(post.ids) == 1

        disk.full = False
        await stage.advance(PAUSE)
        await stage.until(lambda: problems(stage) == [(1, 1, 0)])

        assert len(post.ids) == 2
        assert len(set(post.ids)) == 1
