"""Calls to real servers on loopback that keep their promises but answer badly."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest

from demo.bank import Bank
from demo.behaviour import LOSSES, Act
from demo.restaurant import Restaurant
from demo.serving import listening, running, url_of
from expediter.app.gateways import GatewayName, Remote, Simulated
from expediter.app.tasks.calls import Answer, Call, Charge, Done, LookUp, Refund, Refunded, Refused
from expediter.domain.errors import PaymentUnavailable, RestaurantUnavailable
from expediter.embedded.engine.gateways import Gateways
from expediter.embedded.engine.http_client import Limits
from tests.app.gateways.talk import NOW, charge, handover, refund, withdraw

PATIENT = Limits()
#: Long enough for a server on loopback to do its work, short enough for a test in which no answer comes.
BRIEF = Limits(answer=0.5)


class Town:
    """A bank, a restaurant, and calls to them, each with connections and an event loop of its own."""

    def __init__(self, bank: Bank, kitchen: Restaurant, remotes: tuple[Remote, Remote], secret: str | None) -> None:
        self.bank = bank
        self.kitchen = kitchen
        self._remotes = remotes
        self._secret = secret

    def call(self, *calls: Call, limits: Limits = PATIENT) -> Answer:
        """Makes the calls one after the other; the answer of the last."""

        async def one_by_one() -> Answer:
            async with self.gateways(limits) as gateways:
                return [await gateways.call(call, NOW) for call in calls][-1]

        return asyncio.run(one_by_one())

    @asynccontextmanager
    async def gateways(self, limits: Limits) -> AsyncIterator[Gateways]:
        gateways = Gateways(*self._remotes, {GatewayName.RESTAURANT: self._secret}, limits)
        try:
            yield gateways
        finally:
            await gateways.aclose()


@contextmanager
def opened(secret: str | None = None, expected: str | None = None) -> Iterator[Town]:
    bank, kitchen = Bank(), Restaurant(secret=expected)
    with running(bank) as bank_url, running(kitchen) as kitchen_url:
        yield Town(bank, kitchen, (Remote(bank_url), Remote(kitchen_url)), secret)


@pytest.fixture(scope="module")
def standing_town() -> Iterator[Town]:
    with opened() as town:
        yield town


@pytest.fixture
def town(standing_town: Town) -> Town:
    standing_town.bank.forget()
    standing_town.kitchen.forget()
    return standing_town


# ── restaurant ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_order_is_handed_over_once_and_taken_back(town: Town) -> None:
    assert town.call(handover(), handover(repeat=True)) == Done()
    assert town.kitchen.cooking == {"o1"}

    assert town.call(withdraw()) == Done()
    assert town.kitchen.cooking == set()


def test_a_closed_restaurant_refuses(town: Town) -> None:
    town.kitchen.script("handover", Act.REFUSE)
    assert town.call(handover()) == Refused("The restaurant is closed.")


@pytest.mark.parametrize("act", [*LOSSES, Act.FAIL])
def test_a_handover_with_unknown_result_can_be_withdrawn(town: Town, act: Act) -> None:
    town.kitchen.script("handover", act)

    with pytest.raises(RestaurantUnavailable):
        town.call(handover(), limits=BRIEF)

    assert town.call(withdraw()) == Done()
    assert town.kitchen.cooking == set()


def test_the_restaurant_accepts_our_signature() -> None:
    with opened(secret="s3cret", expected="s3cret") as town:
        assert town.call(handover(), withdraw()) == Done()


@pytest.mark.parametrize("secret", [None, "another"])
def test_a_restaurant_that_wants_a_signature_refuses_a_wrong_one(secret: str | None) -> None:
    with opened(secret=secret, expected="s3cret") as town:
        assert town.call(handover()) == Refused("The signature is missing or wrong.")
        assert town.kitchen.cooking == set()


# ── both ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_bank_that_never_answers_does_not_hold_up_the_restaurant(town: Town) -> None:
    """Every connection to the bank is taken, and one more charge waits, when the restaurant is called."""
    town.bank.script("charge", *[Act.HANG] * 3)

    async def main() -> Answer:
        async with town.gateways(Limits(connections=2)) as gateways:
            charges = [Charge(f"o{number}/charge", f"o{number}", 850, "USD", NOW) for number in range(3)]
            stuck = [asyncio.create_task(gateways.call(call, NOW)) for call in charges]
            while len(town.bank.calls) < 2:  # noqa: ASYNC110 - the bank counts in its own thread
                await asyncio.sleep(0)
            answer = await gateways.call(handover(), NOW)
            assert [task.done() for task in stuck] == [False] * 3
            for task in stuck:
                task.cancel()
            await asyncio.gather(*stuck, return_exceptions=True)
            return answer

    assert asyncio.run(main()) == Done()


def test_calls_that_wait_for_their_turn_use_up_none_of_their_time(town: Town) -> None:
    """Two connections, six charges that take 0.2 s each: the last begins after 0.4 s and is given 0.5 s."""
    town.bank.script("charge", *[Act.SLOW] * 6)

    async def main() -> list[Answer]:
        async with town.gateways(Limits(connections=2)) as gateways:
            charges = [Charge(f"o{number}/charge", f"o{number}", 850, "USD", NOW) for number in range(6)]
            return await asyncio.gather(*(gateways.call(call, NOW, 0.5) for call in charges))

    assert [type(answer) for answer in asyncio.run(main())] == [Done] * 6


def test_a_call_that_takes_too_long_is_given_up(town: Town) -> None:
    town.bank.script("charge", Act.HANG)

    async def main() -> Answer:
        async with town.gateways(PATIENT) as gateways:
            return await gateways.call(charge(), NOW, 0.1)

    with pytest.raises(TimeoutError):
        asyncio.run(main())


def test_the_wait_that_a_busy_provider_asks_for_is_waited() -> None:
    bank = Bank(retry_after=5)
    bank.script("charge", Act.BUSY)

    async def main(url: str) -> Answer:
        gateways = Gateways(Remote(url), Simulated(), {}, PATIENT)
        try:
            return await gateways.call(charge(), NOW, 0.5)
        finally:
            await gateways.aclose()

    with running(bank) as url, pytest.raises(TimeoutError):
        asyncio.run(main(url))
    assert bank.calls == [("charge", "o1/charge")]


def test_a_gateway_without_a_listener_is_unavailable() -> None:
    with listening() as listener:
        nowhere = Remote(url_of(listener))

    async def main(call: Call) -> Answer:
        gateways = Gateways(nowhere, nowhere, {}, BRIEF)
        try:
            return await gateways.call(call, NOW)
        finally:
            await gateways.aclose()

    with pytest.raises(PaymentUnavailable, match="did not answer"):
        asyncio.run(main(charge()))
    with pytest.raises(RestaurantUnavailable, match="did not answer"):
        asyncio.run(main(withdraw()))


def test_a_simulated_gateway_answers_without_waiting_and_a_remote_one_never_does() -> None:
    async def main() -> list[Answer]:
        gateways = Gateways(Simulated(), Remote("http://127.0.0.1:1"), {})
        try:
            assert set(gateways.simulated) == {Charge, Refund, LookUp}
            return [gateways.simulated[type(call)](call) for call in (charge(), refund())]
        finally:
            await gateways.aclose()

    charged, refunded = asyncio.run(main())

    assert isinstance(charged, Done)
    assert isinstance(refunded, Refunded)


def test_a_simulated_gateway_can_also_be_called_like_any_other() -> None:
    gateways = Gateways(Simulated(1.0), Simulated(), {})

    assert isinstance(asyncio.run(gateways.call(charge(), NOW)), Refused)
    assert asyncio.run(gateways.call(handover(), NOW)) == Done()
