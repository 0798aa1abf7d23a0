"""Calls through the gateways, one at a time: a function does nothing else meanwhile.

Two calls of a conversation (ask, then charge) fit into a function's 28 seconds. Nothing is ever sent twice by itself.
"""

from collections.abc import Callable

import urllib3
from urllib3.exceptions import HTTPError

from expediter.app.gateways import (
    MAX_ANSWER,
    ROUTES,
    Conversation,
    Gateway,
    GatewayName,
    HttpRequest,
    HttpResponse,
    NoAnswer,
    Simulated,
)
from expediter.app.tasks.calls import Answer, Call

_TIMEOUT = urllib3.Timeout(connect=3, read=8)


class Gateways:
    """The payment provider and the restaurant, each simulated or behind a URL. ``secret`` gives what signs orders."""

    def __init__(self, payments: Gateway, restaurant: Gateway, secret: Callable[[], str | None]) -> None:
        self._gateways = {GatewayName.PAYMENTS: payments, GatewayName.RESTAURANT: restaurant}
        self._secret = secret
        self._pool = urllib3.PoolManager(timeout=_TIMEOUT, retries=False)

    def call(self, call: Call, now: int) -> Answer:
        """Makes the call at ``now`` (ms since 1970 UTC). Raises PaymentUnavailable or RestaurantUnavailable."""
        route = ROUTES[type(call)]
        gateway = self._gateways[route.gateway]
        if isinstance(gateway, Simulated):
            return route.simulate(gateway.decline, call)
        return self._converse(route.converse(call, now, self._secret), gateway.url)

    def _converse(self, conversation: Conversation, url: str) -> Answer:
        try:
            request = next(conversation)
            while True:
                try:
                    response = self._send(url, request)
                except NoAnswer as error:
                    request = conversation.throw(error)
                else:
                    request = conversation.send(response)
        except StopIteration as end:
            answer: Answer = end.value
            return answer

    def _send(self, url: str, request: HttpRequest) -> HttpResponse:
        """The answer, its body read as far as it may be long. Raises NoAnswer."""
        try:
            response = self._pool.request(
                request.method,
                url + request.path,
                body=request.body,
                headers=request.headers,
                redirect=False,
                preload_content=False,
            )
            try:
                return HttpResponse(response.status, _body(response))
            finally:
                response.release_conn()
        except (HTTPError, OSError) as error:
            raise NoAnswer(str(error) or type(error).__name__) from error


def _body(response: urllib3.BaseHTTPResponse) -> bytes:
    body = response.read(MAX_ANSWER + 1, decode_content=False)
    if len(body) > MAX_ANSWER:
        response.close()
    elif response.read(1):
        response.close()
        return body + b" " * MAX_ANSWER  # too long: it is not parsed
    return body
