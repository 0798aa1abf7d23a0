"""What an earlier release left behind goes on under today's code: every order to its end, and the money adds up."""

import asyncio
import re
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import apsw
import pytest

from demo.bank import Bank
from demo.behaviour import Act
from demo.restaurant import Restaurant
from demo.serving import running
from expediter.app.operator import actions, operations
from expediter.app.operator.audit import Operator
from expediter.app.operator.reconcile import reconcile
from expediter.domain.order import ENDED
from expediter.embedded.sqlite.database import DataRefused, _migrations, open_writer
from tests.support.clock import NOON, VirtualClock
from tests.support.stage import HOUR, OPERATOR, Stage, opened, story
from tests.support.town import Town
from tests.support.waiting import OK, say, token
from tests.upgrade.keep import RELEASES, keep

#: Each with the tables that its code had. Before any release: 0.1.0.dev0 with the first four migrations, and 0.1.0.dev1
#: with nine, kept by the code before the rooms of the server were made.
VERSIONS = sorted(file.stem for file in RELEASES.glob("*.sql"))


def tables_of(version: str, releases: Path = RELEASES) -> int:
    """How many migrations the release had."""
    found = re.search(r"^pragma user_version=(\d+);", (releases / f"{version}.sql").read_text(), flags=re.MULTILINE)
    assert found
    return int(found[1])


#: Each release, with as many migrations as it had, and with fewer.
EARLIER = [(version, number) for version in VERSIONS for number in range(1, tables_of(version) + 1)]

#: How each order of ``tests.upgrade.keep`` ends, and how much of its 3,000 minor units stays with us.
ENDS = {
    "succeeded": ("SUCCESS", 3000),
    "declined": ("FAILED", 0),
    "cancelled": ("CANCELLED", 0),
    "deleted": ("SUCCESS", 3000),
    "refund pending": ("FAILED", 0),
    "needs an operator": ("FAILED", 0),
    "waits for a token": ("SUCCESS", 3000),
    "waits for a nested execution": ("SUCCESS", 3000),
    "in its hold": ("SUCCESS", 3000),
    "cancelled in its hold": ("CANCELLED", 0),
    "call under way": ("SUCCESS", 3000),
    "queued": ("SUCCESS", 3000),
}
#: Orders that could not be before the tables of this migration were.
SINCE = {"waits for a token": 3, "waits for a nested execution": 4}


def left(version: str, folder: Path, upto: int, releases: Path = RELEASES) -> set[str]:
    """Puts what the release left into ``folder``; with the tables of ``upto`` migrations only, if it had more.

    Gives the users whose orders are in it.
    """
    script = (releases / f"{version}.sql").read_text()
    folder.mkdir()
    with closing(apsw.Connection(str(folder / "expediter.db"))) as connection:
        connection.execute(script)
        named = {user: f'"user_id":"{user}"' for user in ENDS}
        users = {user for user, text in named.items() if text in script or text.encode().hex().upper() in script}
        if upto < tables_of(version, releases):
            older = {user for user in users if SINCE.get(user, 0) <= upto}
            _take_back(connection, upto, users - older)
            users = older
    return users


def _take_back(connection: apsw.Connection, upto: int, gone: set[str]) -> None:
    """Drops what later migrations made, and the orders that stand on it."""
    made = re.compile(r"^CREATE (TABLE|INDEX) (\w+)", re.MULTILINE)
    earlier = made.findall("".join(script for number, script in _migrations() if number <= upto))
    later = made.findall("".join(script for number, script in _migrations() if number > upto))
    for kind, name in reversed(later):
        if (kind, name) not in earlier:  # else it was only made anew
            connection.execute(f"DROP {kind} IF EXISTS {name}")
    connection.pragma("user_version", upto)
    for user in gone:
        for no, order_id in connection.execute(
            "SELECT no, claim.id FROM claim JOIN execution USING (no)"
            " WHERE instr(history, ?) OR claim.id LIKE 'child:%'",
            (f'"user_id":"{user}"',),
        ).fetchall():
            for table, column in (("ledger", "order_no"), ("mail", "order_no"), ("orders", "no"), ("execution", "no")):
                connection.execute(f"DELETE FROM {table} WHERE {column} = ?", (no,))
            connection.execute("DELETE FROM claim WHERE id = ?", (order_id,))


@contextmanager
def town_of(version: str, folder: Path, releases: Path = RELEASES) -> Iterator[Town]:
    """The providers that the release dealt with: they remember."""
    for provider in ("bank", "restaurant"):
        shutil.copy(releases / f"{version}.{provider}.jsonl", folder / f"{provider}.jsonl")
    bank, kitchen = Bank(folder / "bank.jsonl"), Restaurant(folder / "restaurant.jsonl")
    with running(bank) as bank_url, running(kitchen) as kitchen_url:
        yield Town(bank, kitchen, {"PAYMENTS": bank_url, "RESTAURANT": kitchen_url})


def order_of(stage: Stage, user: str) -> str:
    ((order_id,),) = stage.read("SELECT claim.id FROM claim JOIN orders USING (no) WHERE user_id = ?", user)
    return str(order_id)


async def go_on(stage: Stage, users: set[str]) -> None:
    """Lets everything end that ends by itself, and does what operators and the kitchen have to do."""
    await stage.quiet()
    if "waits for a token" in users:
        order_id = order_of(stage, "waits for a token")
        await say(stage, token(stage, order_id), OK)
    stuck = order_of(stage, "needs an operator")
    (retry,) = stage.home.read_as_operator(lambda services: actions.retries(services, stuck))
    body = b'{"order": {"id": "%s"}, "hold_seconds": 0}' % stuck.encode()
    await stage.home.write_as_operator(
        lambda services: actions.retry(services, Operator("ada"), stuck, retry.state, body), "retry"
    )
    await stage.pass_time(3 * HOUR)


def see_the_end(stage: Stage, town: Town, user: str) -> None:
    """That the order ended as it should, that we hold what the bank says, and that mails went out once."""
    order_id = order_of(stage, user)
    assert (stage.status(order_id), stage.held(order_id)) == ENDS[user], user
    assert stage.held(order_id) == town.taken(order_id), user
    assert len(town.moves(order_id)) == len(set(town.moves(order_id))), user
    recipients = [mail.recipient for mail in stage.mails(order_id) if mail.status in ENDED]
    assert len(recipients) == len(set(recipients)), user
    assert "ops@example.com" in recipients, user


async def bring_to_an_end(data: Path, town: Town, users: set[str]) -> None:
    """Opens what was left under today's code and lets every order in it end."""
    town.bank.script("refund", Act.FAIL)
    clock = VirtualClock(NOON + HOUR)
    async with opened(data, clock, NOTIFY="ops@example.com", **town.settings) as stage:
        await go_on(stage, users)
        for user in users:
            see_the_end(stage, town, user)
        assert stage.home.read(lambda work: reconcile(work.orders.with_entries())).clean
        assert [letter.body for letter in stage.dead_letters()] == [b"nonsense"]


@pytest.mark.parametrize(("version", "migrations"), EARLIER)
@story
async def test_every_order_that_an_earlier_release_left_goes_on_to_its_end(
    tmp_path: Path, version: str, migrations: int
) -> None:
    users = left(version, tmp_path / "data", migrations)
    with town_of(version, tmp_path) as town:
        await bring_to_an_end(tmp_path / "data", town, users)
    assert users == {user for user in ENDS if SINCE.get(user, 0) <= migrations}


@pytest.mark.heavy
def test_what_today_s_code_would_leave_as_a_release_goes_on_as_well(tmp_path: Path) -> None:
    (tmp_path / "releases").mkdir()
    keep("today", tmp_path / "releases")
    users = left("today", tmp_path / "data", len(_migrations()), tmp_path / "releases")
    with town_of("today", tmp_path, tmp_path / "releases") as town:
        asyncio.run(bring_to_an_end(tmp_path / "data", town, users))
    assert users == ENDS.keys()


@pytest.mark.parametrize("version", VERSIONS)
@story
async def test_histories_of_an_earlier_release_are_read_as_they_were(tmp_path: Path, version: str) -> None:
    left(version, tmp_path / "data", tables_of(version))
    async with opened(tmp_path / "data", VirtualClock(NOON + HOUR)) as stage:
        ended = order_of(stage, "succeeded")
        timeline = stage.home.read(lambda work: operations.timeline(work, OPERATOR, ended))

        assert timeline.events[-1]["type"] == "ExecutionSucceeded"
        assert "CompleteOrder" in stage.states(ended)
        tombstone = stage.order(order_of(stage, "deleted"))
        assert tombstone.deleted_at is not None


def test_every_release_in_the_changelog_has_left_its_file() -> None:
    changelog = (RELEASES.parents[2] / "CHANGELOG.md").read_text()

    assert set(re.findall(r"^## \[(\d[^]]*)\]", changelog, flags=re.MULTILINE)) <= set(VERSIONS)


def test_migrations_are_numbered_without_a_gap_so_that_a_file_s_number_says_which_it_had() -> None:
    assert [number for number, _ in _migrations()] == list(range(1, len(_migrations()) + 1))


def test_a_file_of_a_newer_release_is_refused_and_not_changed(tmp_path: Path) -> None:
    left(VERSIONS[-1], tmp_path / "data", tables_of(VERSIONS[-1]))
    file = tmp_path / "data" / "expediter.db"
    with closing(apsw.Connection(str(file))) as connection:
        connection.pragma("user_version", len(_migrations()) + 1)
    before = file.read_bytes()

    with pytest.raises(DataRefused, match="newer"):
        open_writer(file)
    assert file.read_bytes() == before
