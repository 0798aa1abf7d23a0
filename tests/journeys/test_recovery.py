"""A process that dies after any commit at all leaves a file from which every order goes on to the same end."""

import asyncio
import shutil
from pathlib import Path

import pytest

from expediter.app.operator.reconcile import reconcile
from expediter.domain.errors import OrderInvalid
from expediter.embedded.clock import new_id
from expediter.embedded.engine.dispatcher import Dispatcher
from tests.support.clock import VirtualClock
from tests.support.stage import SECOND, Stage, opened, story
from tests.support.town import Act, Addresses, Town


class Death:
    """Copies the file at one commit, just before or just after it, and lets the process do nothing from then on."""

    def __init__(self, data: Path, left: Path, commit: int, *, after: bool) -> None:
        self.happened = asyncio.Event()
        self.dispatcher: Dispatcher | None = None
        self._data = data
        self._left = left
        self._commit = commit
        self._after = after
        self._commits = 0

    def before_commit(self, names: list[str]) -> None:
        if self.dispatcher and names != ["look"]:
            self._commits += 1
            if self._commits == self._commit and not self._after:
                self._die()

    def after_commit(self, names: list[str]) -> None:
        if self._commits == self._commit and self._after and not self.happened.is_set():
            self._die()

    def _die(self) -> None:
        self._left.mkdir()
        for file in self._data.glob("expediter.db*"):
            if not file.name.endswith("-shm"):
                shutil.copy(file, self._left)
        assert self.dispatcher is not None
        self.dispatcher._stopping = True
        self.happened.set()


async def left_behind(data: Path, left: Path, death: Death, order_id: str, settings: Addresses) -> bool:
    """Plays the order until the process dies; False when the order ended before."""
    async with opened(data, None, death, NOTIFY="ops@example.com", **settings) as stage:
        await stage.quiet()
        death.dispatcher = stage.home.engine.dispatcher

        async def life() -> None:
            await stage.accept(order_id)
            await stage.to_the_end(order_id)

        lived, died = asyncio.create_task(life()), asyncio.create_task(death.happened.wait())
        await asyncio.wait({lived, died}, return_when=asyncio.FIRST_COMPLETED)
        for task in (lived, died):
            task.cancel()
        await asyncio.gather(lived, died, return_exceptions=True)
    return death.happened.is_set()


#: What the bank does with charges, the restaurant with handovers, the bank with refunds; and how the order ends.
SCRIPTS: dict[str, tuple[list[Act], list[Act], list[Act], str]] = {
    "good": ([], [], [], "SUCCESS"),
    "declined": ([Act.REFUSE], [], [], "FAILED"),
    "refused": ([], [Act.REFUSE], [], "FAILED"),
    "lost answers": ([Act.LOSE], [Act.LOSE] * 9, [Act.LOSE], "FAILED"),
}


async def die_and_go_on(folder: Path, town: Town, script: str, commit: int, *, after: bool) -> bool:
    charge, handover, refund, status = SCRIPTS[script]
    order_id, data, left = new_id(), folder / "data", folder / "left"
    town.bank.script("charge", *charge, order_id=order_id)
    town.kitchen.script("handover", *handover, order_id=order_id)
    town.bank.script("refund", *refund, order_id=order_id)
    died = await left_behind(data, left, Death(data, left, commit, after=after), order_id, town.settings)
    async with opened(left if died else data, NOTIFY="ops@example.com", **town.settings) as stage:
        if commit == 1 and not after:
            assert stage.read("SELECT * FROM claim") == []  # it died before the accept was answered
            return True
        order = await stage.to_the_end(order_id)

        assert order.status == status, (script, commit, after)
        assert stage.held(order_id) == town.taken(order_id), (script, commit, after)
        assert len(town.moves(order_id)) == len(set(town.moves(order_id)))
        assert (order_id in town.kitchen.cooking) == (status == "SUCCESS")
        assert len(stage.mails(order_id)) == 1
        assert stage.home.read(lambda work: reconcile(work.orders.with_entries())).clean
    return died


@pytest.mark.parametrize("script", SCRIPTS)
@story
async def test_whatever_commit_a_process_dies_at_the_order_ends_the_same_and_money_moves_once(
    tmp_path: Path, town: Town, script: str
) -> None:
    deaths = 0
    for commit in (*range(1, 9), *range(10, 100, 3)):  # a long row of retries is the same again and again
        for after in (False, True):
            deaths += await die_and_go_on(tmp_path / f"{commit}{after}", town, script, commit, after=after)
        if not (tmp_path / f"{commit}True" / "left").exists():
            break
    assert deaths >= 6


class Hanging:
    """Refuses to answer until told to: a bank that takes connections and says nothing."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.arrived = asyncio.Event()
        self._server: asyncio.Server | None = None

    async def open(self) -> str:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"http://{host}:{port}"

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.requests.append(await reader.readline())
        self.arrived.set()
        await reader.read()
        writer.close()


@story
async def test_a_call_under_way_when_the_process_dies_is_asked_about_before_it_is_made_again(
    tmp_path: Path, town: Town
) -> None:
    """The first process is never stopped: its file is copied while its call hangs, and another takes up the copy."""
    bank = Hanging()
    async with asyncio.timeout(20), opened(tmp_path / "first", HOLD_SECONDS="0", PAYMENTS=await bank.open()) as first:
        order_id = await first.accept()
        await bank.arrived.wait()
        (tmp_path / "second").mkdir()
        for file in (tmp_path / "first").glob("expediter.db*"):
            shutil.copy(file, tmp_path / "second")

        async with opened(tmp_path / "second", HOLD_SECONDS="0", **town.settings) as second:
            await second.quiet()

            assert second.status(order_id) == "SUCCESS"
            assert town.calls(order_id) == ["lookup", "charge", "handover"]
        for call in first.home.engine.dispatcher._calls:
            call.cancel()
    assert bank.requests == [b"POST /charges HTTP/1.1\r\n"]
    await bank.close()


@story
async def test_an_order_in_its_hold_goes_on_holding_and_is_sent_when_the_hold_ends(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with opened(tmp_path, clock) as stage:
        order_id = await stage.place()
    clock.advance(29 * SECOND)
    async with opened(tmp_path, clock) as stage:
        await stage.quiet()
        assert stage.status(order_id) == "PAID"

        await stage.advance(1 * SECOND)

        assert stage.status(order_id) == "SUCCESS"


@story
async def test_a_hold_that_ended_while_no_server_ran_ends_at_once(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with opened(tmp_path, clock) as stage:
        order_id = await stage.place()
    clock.advance(3600 * SECOND)
    async with opened(tmp_path, clock) as stage:
        await stage.quiet()

        assert stage.status(order_id) == "SUCCESS"


async def accept_only(stage: Stage, order_id: str) -> None:
    """Stops the home before the message can be taken in."""
    stage.home.engine.dispatcher._stopping = True
    await stage.accept(order_id)


@story
async def test_a_message_accepted_just_before_the_stop_is_taken_in_at_the_next_start(tmp_path: Path) -> None:
    order_id = new_id()
    async with opened(tmp_path, HOLD_SECONDS="0") as stage:
        await accept_only(stage, order_id)
    async with opened(tmp_path, HOLD_SECONDS="0") as stage:
        await stage.quiet()

        assert stage.status(order_id) == "SUCCESS"


@story
async def test_an_order_that_waits_across_a_restart_keeps_its_price(tmp_path: Path) -> None:
    """Every setting of an order is another one at the next start."""
    order_id = new_id()
    async with opened(tmp_path, HOLD_SECONDS="0", DEFAULT_PRICE="1000", CURRENCY="USD") as stage:
        await accept_only(stage, order_id)
        told = stage.home.read(lambda work: work.orders.accepted(order_id))
    assert told is not None
    async with opened(tmp_path, HOLD_SECONDS="3600", DEFAULT_PRICE="2000", CURRENCY="JPY") as stage:
        await stage.quiet()

        found = stage.order(order_id)
        (charge,) = stage.entries(order_id)
        assert (found.status, found.total, found.currency) == ("SUCCESS", told.total, "USD")
        assert (charge.amount, charge.currency) == (told.total, "USD")


@story
async def test_an_order_outlives_its_currency(tmp_path: Path, town: Town) -> None:
    """Bulgaria pays in euro since 2026: an order of 2025 is read, changed and charged in BGN."""
    order_id = new_id()
    body = b'{"user_id": "Ann", "restaurant_id": "b", "quantity": 2, "currency": "BGN", "email": "ann@example.com"}'
    told = {"order_id": order_id, "default_price": "700", "currency": "BGN", "hold_seconds": "30"}
    async with opened(tmp_path, **town.settings) as stage:
        await stage.send(body, **told)
        await stage.quiet()
        await stage.change(order_id, restaurant_id="c", currency="BGN")
        order = await stage.to_the_end(order_id)

        (charge,) = stage.entries(order_id)
        (mail,) = stage.mails(order_id)
        assert (order.status, order.total, order.currency, order.restaurant_id) == ("SUCCESS", 1400, "BGN", "c")
        assert (charge.amount, charge.currency, town.taken(order_id)) == (1400, "BGN", 1400)
        assert "BGN" in mail.text
        with pytest.raises(OrderInvalid, match="2026-01-01"):
            await stage.accept(currency="BGN")


@story
async def test_a_call_under_way_at_the_stop_gets_its_seconds_and_is_settled(tmp_path: Path, town: Town) -> None:
    order_id = new_id()
    town.bank.script("charge", Act.SLOW, order_id=order_id)
    async with opened(tmp_path, **town.settings) as stage:
        await stage.accept(order_id)
        await stage.home.write(lambda work: None, "intake was before this")
        assert stage.home.engine.dispatcher.calls == 1
    async with opened(tmp_path, **town.settings) as stage:
        await stage.quiet()

        assert stage.status(order_id) == "PAID"
        assert town.calls(order_id) == ["charge"]
