"""Calls to the outside parties: connections of its own for each, so that a slow bank never holds up the restaurant."""

import asyncio
from collections.abc import Mapping

import msgspec

from expediter.app.gateways import (
    Conversation,
    NoAnswer,
    Party,
    Remote,
    Role,
    Simulated,
    answered,
    payment,
    restaurant,
    role,
)
from expediter.app.tasks.calls import Answer, Call, HandOver, Withdraw
from expediter.embedded.engine.http_client import HttpClient, Limits


class Parties:
    """The payment provider and the restaurant, each simulated or behind a URL.

    ``secret`` signs what the restaurant gets. Open it inside the event loop that calls it.
    """

    def __init__(self, payments: Party, restaurant: Party, secret: str | None, limits: Limits | None = None) -> None:
        self._parties = {Role.PAYMENTS: payments, Role.RESTAURANT: restaurant}
        self._secret = secret
        self._clients = {
            name: HttpClient(party.url, limits or Limits())
            for name, party in self._parties.items()
            if isinstance(party, Remote)
        }
        self._turns = {name: asyncio.Semaphore((limits or Limits()).connections) for name in self._parties}

    def answer_now(self, call: Call) -> Answer | None:
        """The answer of a simulated party; None when the call has to go out."""
        party = self._parties[role(call)]
        return answered(call, party.decline) if isinstance(party, Simulated) else None

    async def call(
        self, call: Call, now: int, seconds: float | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Makes the call at ``now`` (ms since 1970 UTC), or when one of the party's connections is free for it.
        ``headers`` go along with each of its requests.

        Raises PaymentUnavailable or RestaurantUnavailable; TimeoutError when it takes more than ``seconds`` from then.
        """
        answer = self.answer_now(call)
        if answer is not None:
            return answer
        async with self._turns[role(call)], asyncio.timeout(seconds):
            return await _converse(self._conversation(call, now), self._clients[role(call)], headers or {})

    async def aclose(self) -> None:
        for client in self._clients.values():
            await client.aclose()

    def _conversation(self, call: Call, now: int) -> Conversation:
        if isinstance(call, HandOver | Withdraw):
            return restaurant(call, self._secret, now)
        return payment(call, now)


async def _converse(conversation: Conversation, client: HttpClient, headers: Mapping[str, str]) -> Answer:
    try:
        request = next(conversation)
        while True:
            if headers:
                request = msgspec.structs.replace(request, headers={**request.headers, **headers})
            try:
                response = await client.send(request)
            except NoAnswer as error:
                request = conversation.throw(error)
            else:
                request = conversation.send(response)
    except StopIteration as end:
        answer: Answer = end.value
        return answer
