"""Calls through the gateways. Each has connections of its own, so a slow bank does not hold up the restaurant."""

import asyncio
from collections.abc import Callable, Generator, Mapping
from functools import partial
from typing import TypeVar

import msgspec

from expediter.app.gateways import (
    FIND,
    ROUTES,
    Gateway,
    GatewayName,
    HttpRequest,
    HttpResponse,
    NoAnswer,
    Secret,
    Simulated,
    simulated,
)
from expediter.app.tasks.calls import Answer, AnyCall, Found
from expediter.embedded.engine.http_client import HttpClient, Limits

T = TypeVar("T")


class Gateways:
    """The payment provider and the restaurant, each simulated or behind a URL.

    ``secrets``: the payment provider's is the token that its requests bear, the restaurant's signs its orders. Open it
    inside the event loop that calls it.
    """

    def __init__(
        self,
        payments: Gateway,
        restaurant: Gateway,
        secrets: Mapping[GatewayName, str | None],
        limits: Limits | None = None,
    ) -> None:
        gateways = {GatewayName.PAYMENTS: payments, GatewayName.RESTAURANT: restaurant}
        limits = limits or Limits()
        self._gateways = gateways
        self._secrets = secrets
        self._clients = {
            name: HttpClient(gateway.url, limits)
            for name, gateway in gateways.items()
            if not isinstance(gateway, Simulated)
        }
        self._free = {name: asyncio.Semaphore(limits.connections) for name in self._clients}
        #: The simulated gateways, which answer at once, by the kind of call.
        self.simulated: Mapping[type[AnyCall], Callable[[AnyCall], Answer]] = {
            kind: partial(route.simulate, gateway.decline)
            for kind, route in ROUTES.items()
            if isinstance(gateway := gateways[route.gateway], Simulated)
        }

    async def call(
        self, call: AnyCall, now: int, seconds: float | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Makes the call at ``now`` (ms since 1970 UTC), or when one of the gateway's connections is free for it.
        ``headers`` go along with each of its requests.

        Raises PaymentUnavailable or RestaurantUnavailable; TimeoutError when it takes more than ``seconds`` from then.
        """
        if simulated := self.simulated.get(type(call)):
            return simulated(call)
        route = ROUTES[type(call)]
        async with self._free[route.gateway], asyncio.timeout(seconds):
            conversation = route.converse[type(self._gateways[route.gateway])](call, now, self._secret(route.gateway))
            return await _converse(conversation, self._clients[route.gateway], headers or {})

    async def find(self, key: str) -> Found:
        """What became of the charge under this key; nothing is moved. Raises PaymentUnavailable."""
        payments = self._gateways[GatewayName.PAYMENTS]
        if isinstance(payments, Simulated):
            return simulated.find(payments.decline, key)
        async with self._free[GatewayName.PAYMENTS]:
            finding = FIND[type(payments)](key, self._secret(GatewayName.PAYMENTS))
            return await _converse(finding, self._clients[GatewayName.PAYMENTS], {})

    def _secret(self, name: GatewayName) -> Secret:
        secret = self._secrets.get(name)
        return lambda refused=None: secret  # noqa: ARG005  # it was set at the start and stays

    async def aclose(self) -> None:
        for client in self._clients.values():
            await client.aclose()


async def _converse(
    conversation: Generator[HttpRequest, HttpResponse, T], client: HttpClient, headers: Mapping[str, str]
) -> T:
    try:
        request = next(conversation)
        while True:
            if headers:
                request = msgspec.structs.replace(request, headers={**request.headers, **headers})
            if request.pause:
                await asyncio.sleep(request.pause)
            try:
                response = await client.send(request)
            except NoAnswer as error:
                request = conversation.throw(error)
            else:
                request = conversation.send(response)
    except StopIteration as end:
        answer: T = end.value
        return answer
