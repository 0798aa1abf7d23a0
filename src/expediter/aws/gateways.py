"""Makes the calls of gateways, one at a time, because a function does nothing else meanwhile.

Two requests of a call (ask, then charge) and the longest pause between them fit into a function's 28 seconds. No
request is repeated automatically.
"""

import time
from collections.abc import Mapping

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
    Secret,
    Simulated,
)
from expediter.app.tasks.calls import Answer, AnyCall
from expediter.aws import clients, clock
from expediter.aws.failures import unavailable
from expediter.domain.errors import StoreUnavailable

_TIMEOUT = urllib3.Timeout(connect=3, read=8)
#: Milliseconds after which a secret is read again. After that time a changed one is used everywhere.
KEPT = 5 * 60_000


class StoredSecret:
    """The secret of Secrets Manager with this ``arn``; none when it is empty.

    It is read again after KEPT, and at once when the other side refuses it. So a rotation needs no deployment. While
    Secrets Manager does not answer, the secret that was read last is used.
    """

    def __init__(self, arn: str) -> None:
        self._arn = arn
        self._value: str | None = None
        self._read_at = 0

    def __call__(self, refused: str | None = None) -> str | None:
        """The secret. ``refused``: the secret that the other side refused. Raises StoreUnavailable."""
        stale = clock.now() - self._read_at > KEPT or (refused is not None and refused == self._value)
        if self._arn and (self._value is None or stale):
            self._read()
        return self._value

    def _read(self) -> None:
        try:
            with unavailable():
                self._value = clients.secrets().get_secret_value(SecretId=self._arn)["SecretString"].strip()
        except StoreUnavailable:
            if self._value is None:
                raise
        self._read_at = clock.now()


class Gateways:
    """The payment provider and the restaurant, each simulated or at a URL.

    ``secrets``: the token for requests to the payment provider, and the secret that signs the restaurant's orders.
    """

    def __init__(self, payments: Gateway, restaurant: Gateway, secrets: Mapping[GatewayName, Secret]) -> None:
        self._gateways = {GatewayName.PAYMENTS: payments, GatewayName.RESTAURANT: restaurant}
        self._secrets = secrets
        self._pool = urllib3.PoolManager(timeout=_TIMEOUT, retries=False)

    def call(self, call: AnyCall, now: int) -> Answer:
        """Makes the call at ``now`` (ms since 1970 UTC). Raises PaymentUnavailable or RestaurantUnavailable."""
        route = ROUTES[type(call)]
        gateway = self._gateways[route.gateway]
        if isinstance(gateway, Simulated):
            return route.simulate(gateway.decline, call)
        return self._converse(route.converse[type(gateway)](call, now, self._secrets[route.gateway]), gateway.url)

    def _converse(self, conversation: Conversation, url: str) -> Answer:
        try:
            request = next(conversation)
            while True:
                time.sleep(request.pause)
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
        """The answer, with its body up to the limit of length. Raises NoAnswer."""
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
                return HttpResponse(response.status, _body(response), response.headers)
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
        return body + b" " * MAX_ANSWER  # an answer that is too long is not parsed
    return body
