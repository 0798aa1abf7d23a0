"""A machine's clock that was set: the log, the metrics and the operators are told, once."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from demo.mailserver import MailServer, receiving
from expediter.embedded.clock import SystemClock
from expediter.embedded.loops.clock_watch import LOOK, MOST
from expediter.embedded.settings import from_environment
from expediter.embedded.wiring import open_home
from tests.console.shop import wait_for
from tests.support.stage import HOUR, MINUTE, Stage, opened, story

OPS = "ops@example.com"


@pytest.fixture
def post() -> Iterator[tuple[MailServer, str]]:
    server = MailServer()
    with receiving(server) as url:
        yield server, url


def told(log: pytest.LogCaptureFixture) -> list[tuple[str, int]]:
    """Whether each line tells of a difference or of its end, and the seconds in it."""
    return [
        ("over" if "again" in record.message else "set", record.__dict__["seconds"])
        for record in log.records
        if record.name == "expediter.clock"
    ]


async def look(stage: Stage) -> None:
    await stage.advance(LOOK)


@story
async def test_a_clock_set_back_is_reported_once_and_so_is_its_correction(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(tmp_path) as stage:
        await look(stage)
        assert told(caplog) == []
        for ahead in (-HOUR, -HOUR + MINUTE, -30 * MINUTE, -MOST, 0, HOUR):
            stage.clock.ahead = ahead
            await look(stage)
            await look(stage)

        assert told(caplog) == [("set", -3600), ("over", -60), ("set", 3600)]


@pytest.mark.parametrize("ahead", [-MOST, MOST, 0])
def test_a_difference_of_a_minute_is_not_reported(tmp_path: Path, caplog: pytest.LogCaptureFixture, ahead: int) -> None:
    @story
    async def run() -> None:
        async with opened(tmp_path) as stage:
            stage.clock.ahead = ahead
            await look(stage)

    run()
    assert told(caplog) == []


@story
async def test_the_metrics_say_by_how_much_the_clocks_differ(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        stage.clock.ahead = -90 * MINUTE

        assert b"\nexpediter_clock_difference_seconds -5400.0\n" in stage.home.metrics()


@pytest.mark.parametrize(("ahead", "words"), [(-HOUR, "60 minutes behind"), (25 * HOUR, "1500 minutes ahead of")])
def test_operators_get_one_mail_that_says_how_the_clock_was_set(
    tmp_path: Path, post: tuple[MailServer, str], ahead: int, words: str
) -> None:
    server, url = post

    @story
    async def run() -> None:
        async with opened(tmp_path, SMTP_URL=url, NOTIFY=OPS) as stage:
            stage.clock.ahead = ahead
            for _ in range(3):
                await look(stage)
            await wait_for(lambda: bool(server.mails))

    run()
    (mail,) = server.mails
    assert words in mail.text
    assert mail.to == (OPS,)


@pytest.mark.parametrize("ahead", [HOUR, 30 * MINUTE, -HOUR])
async def test_a_start_on_a_file_with_a_future_time_is_reported_at_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, ahead: int
) -> None:
    """The newest time in the file lies ``ahead``. One that lies back is no sign: the server was down for so long."""
    settings = from_environment({"EXPEDITER_DATA": str(tmp_path)})
    async with open_home(settings):
        pass
    with closing(apsw.Connection(str(tmp_path / "expediter.db"))) as connection:
        connection.execute("UPDATE health SET seen_at = ?", (SystemClock().now() + ahead,))
    async with open_home(settings):
        if ahead > 0:
            await wait_for(lambda: bool(told(caplog)))

    assert [-ahead // 1000 - seconds in (-1, 0, 1) for _, seconds in told(caplog)] == ([True] if ahead > 0 else [])


pytestmark = pytest.mark.anyio
