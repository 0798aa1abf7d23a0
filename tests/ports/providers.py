"""The implementations of a payments gateway that the contract in this folder is held against, and who calls them.

A new provider adds one line to PROVIDERS.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from demo.bank import Bank
from demo.behaviour import Act
from demo.serving import running
from expediter.app.gateways import Gateway, GatewayName, Remote, Simulated, Stripe
from expediter.app.tasks.calls import Answer, AnyCall, Found
from expediter.embedded.engine.gateways import Gateways
from expediter.embedded.engine.http_client import Limits
from tests.app.gateways.talk import NOW
from tests.support import stripe as fake
from tests.support.stripe import Front

TOKEN = "the provider's own token"  # with spaces: a header takes them


class Provider(Protocol):
    """One payment provider."""

    def gateway(self, charge: Act = Act.OK, refund: Act = Act.OK) -> Gateway:
        """The way to it. The acts are what happens to the next charge and the next refund."""
        ...

    def moves(self, order_id: str) -> list[tuple[str, int]]:
        """The movements of money of the order in its books, and their minor units."""
        ...

    def complete(self, order_id: str, paid: bool) -> None:
        """The customer has done, or not done, what the order's payment waits for."""
        ...


class SimulatedProvider:
    def gateway(self, charge: Act = Act.OK, refund: Act = Act.OK) -> Gateway:
        assert refund is Act.OK
        return Simulated(1.0 if charge is Act.REFUSE else 0.0)

    def moves(self, order_id: str) -> list[tuple[str, int]]:
        raise NotImplementedError(f"nothing is remembered of {order_id}")

    def complete(self, order_id: str, paid: bool) -> None:
        raise NotImplementedError(f"nothing is remembered of {order_id}: {paid}")


class HttpProvider:
    def __init__(self, bank: Bank, url: str) -> None:
        self._bank = bank
        self._url = url

    def gateway(self, charge: Act = Act.OK, refund: Act = Act.OK) -> Gateway:
        self._bank.forget()
        self._bank.script("charge", charge)
        self._bank.script("refund", refund)
        return Remote(self._url)

    def moves(self, order_id: str) -> list[tuple[str, int]]:
        return [(move.kind, move.amount) for move in self._bank.movements if move.order_id == order_id]

    def complete(self, order_id: str, paid: bool) -> None:
        self._bank.complete(order_id, paid=paid)


class StripeProvider:
    def __init__(self, front: Front, url: str) -> None:
        self._front = front
        self._url = url

    def gateway(self, charge: Act = Act.OK, refund: Act = Act.OK) -> Gateway:
        self._front.forget()
        self._front.script("charge", charge)
        self._front.script("refund", refund)
        return Stripe(self._url)

    def moves(self, order_id: str) -> list[tuple[str, int]]:
        return self._front.moves(order_id)

    def complete(self, order_id: str, paid: bool) -> None:
        self._front.complete(order_id, paid=paid)


@contextmanager
def simulated() -> Iterator[Provider]:
    yield SimulatedProvider()


@contextmanager
def http() -> Iterator[Provider]:
    bank = Bank(token=TOKEN)
    with running(bank) as url:
        yield HttpProvider(bank, url)


@contextmanager
def stripe() -> Iterator[Provider]:
    with fake.stripe(TOKEN) as (front, url):
        yield StripeProvider(front, url)


PROVIDERS: dict[str, Callable[[], AbstractContextManager[Provider]]] = {
    "simulated": simulated,
    "http": http,
    "stripe": stripe,
}
#: The providers that need more than the light tests have.
HEAVY = frozenset({"stripe"})
#: The providers that remember nothing: no call to them is lost, repeated or looked up.
WITHOUT_BOOKS = frozenset({"simulated"})


class Caller(Protocol):
    """A home's way to make calls through a payments gateway."""

    def call(self, gateway: Gateway, *calls: AnyCall, token: str = TOKEN) -> Answer:
        """Makes the calls one after the other; the answer of the last."""
        ...


class EmbeddedCaller:
    def call(self, gateway: Gateway, *calls: AnyCall, token: str = TOKEN) -> Answer:
        async def one_by_one() -> Answer:
            gateways = _gateways(gateway, token)
            try:
                return [await gateways.call(call, NOW) for call in calls][-1]
            finally:
                await gateways.aclose()

        return asyncio.run(one_by_one())


def find(gateway: Gateway, key: str) -> Found:
    """What the provider says about the key of a charge."""

    async def ask() -> Found:
        gateways = _gateways(gateway, TOKEN)
        try:
            return await gateways.find(key)
        finally:
            await gateways.aclose()

    return asyncio.run(ask())


def _gateways(gateway: Gateway, token: str) -> Gateways:
    """An answer is waited for shortly: long enough for a server on loopback, short enough for a test without one."""
    return Gateways(gateway, Simulated(), {GatewayName.PAYMENTS: token}, Limits(answer=1.0))
