"""GraphQL over a websocket: the protocol graphql-transport-ws, one object per connection.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any

import msgspec
from graphql import ExecutionResult, OperationType

from expediter.api.errors import DocumentTooComplex, InternalError, IssuerUnavailable, TooManyRequests, Unauthorized
from expediter.api.request import Headers
from expediter.app.faults import reason
from expediter.app.ports import Caller
from expediter.app.strict_json import decode
from expediter.domain.errors import OrderError
from expediter.embedded.web.access.authenticator import Authenticator
from expediter.embedded.web.asgi import Receive, Scope, Send, headers_of, peer_of
from expediter.embedded.web.graphql.executor import Formatted, Graphql, GraphqlRequest, formatted, refusal
from expediter.embedded.web.guards import Guards
from expediter.embedded.web.http1.request_head import LARGEST_BODY

_log = logging.getLogger(__name__)

PROTOCOL = "graphql-transport-ws"
#: Seconds in which a client has to send connection_init.
PATIENCE = 10
#: Bytes of the reason in a close frame.
LONGEST_REASON = 123
#: Operations of one connection that may run at the same time.
MOST_OPERATIONS = 100


class WsMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message of the protocol, either way."""

    type: str
    id: str | None = None
    payload: Any = None


class Closing(Exception):
    """The connection has to be closed with this code and reason.

    The reason is cut to the 123 bytes that a close frame has room for (RFC 6455 5.5).
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason.encode("utf-8", "replace")[:LONGEST_REASON].decode("utf-8", "ignore")


class Disconnected(Exception):
    """The client went away."""


class GraphqlSocket:
    """One connection. ``run`` returns when either side has closed it.

    ``greet``: returns the caller with this token (``Bearer TOKEN``), or raises Unauthorized, IssuerUnavailable or
    TooManyRequests.
    """

    def __init__(
        self,
        graphql: Graphql,
        guards: Guards,
        authenticator: Authenticator,
        greet: Callable[[str], Awaitable[Caller]],
    ) -> None:
        self._greet_caller = greet
        self._graphql = graphql
        self._guards = guards
        self._authenticator = authenticator
        self._authorization = ""
        self._running: dict[str, asyncio.Task[None]] = {}
        #: Called for each operation. Raises TooManyRequests.
        self.count: Callable[[], None] = lambda: None
        #: Counts a refused operation. Returns the seconds after which its client is told.
        self.seconds_to_wait: Callable[[], float] = lambda: 0
        #: Gives a subscription its place, and raises TooManyRequests.
        self.follow: Callable[[], AbstractContextManager[None]] = nullcontext

    async def run(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        await receive()  # websocket.connect
        try:
            headers = headers_of(scope)
            self._guards.check(peer_of(scope), headers)
        except OrderError:
            await send({"type": "websocket.close", "code": 4403})  # before accept: HTTP 403
            return
        offered = PROTOCOL in scope["subprotocols"]
        await send({"type": "websocket.accept", "subprotocol": PROTOCOL if offered else None})
        try:
            if not offered:
                raise Closing(4406, "Subprotocol not acceptable")
            self._caller = await self._greet(headers)
            await self._take_all()
        except Closing as closing:
            await send({"type": "websocket.close", "code": closing.code, "reason": closing.reason})
        except Disconnected:
            pass
        finally:
            await self._stop_all()

    async def _take_all(self) -> None:
        """Handles messages until the client goes away or its token expires. Raises Closing, Disconnected."""
        try:
            async with asyncio.timeout(self._authenticator.seconds_left(self._caller)):
                while True:
                    await self._take(await self._next())
        except TimeoutError as error:
            raise Closing(4403, "Forbidden: the token has expired") from error

    async def _greet(self, headers: Headers) -> Caller:
        """The caller. Waits for connection_init, which may carry the token as ``{"authorization": "Bearer …"}``."""
        try:
            async with asyncio.timeout(PATIENCE):
                message = await self._next()
                while message.type in {"ping", "pong"}:
                    await self._take(message)
                    message = await self._next()
        except TimeoutError as error:
            raise Closing(4408, "Connection initialisation timeout") from error
        if message.type != "connection_init":
            raise Closing(4401, "Unauthorized")
        payload = message.payload if isinstance(message.payload, dict) else {}
        given = {str(name).lower(): str(value) for name, value in payload.items()}
        self._authorization = headers.get("authorization") or given.get("authorization", "")
        try:
            caller = await self._greet_caller(self._authorization)
        except (Unauthorized, IssuerUnavailable) as error:
            raise Closing(4403, "Forbidden") from error
        except TooManyRequests as error:
            raise Closing(4429, "Too many websockets or requests of one caller") from error
        await self._tell(WsMessage("connection_ack"))
        return caller

    async def _take(self, message: WsMessage) -> None:
        match message:
            case WsMessage("ping"):
                await self._tell(WsMessage("pong"))
            case WsMessage("pong"):
                pass
            case WsMessage("subscribe", str(name)):
                await self._begin(name, message.payload)
            case WsMessage("complete", str(name)):
                await self._stop(name)
            case WsMessage("connection_init"):
                raise Closing(4429, "Too many initialisation requests")
            case _:
                raise Closing(4400, f"Unexpected message of type {message.type}")

    async def _begin(self, name: str, payload: object) -> None:
        if not self._authenticator.lets_in(self._authorization):
            raise Closing(4403, "Forbidden: the token is not valid any more")
        if name in self._running:
            raise Closing(4409, f"Subscriber for {name} already exists")
        try:
            request = msgspec.convert(payload, GraphqlRequest)
        except msgspec.ValidationError as error:
            raise Closing(4400, f"Invalid message: {reason(error)}") from error
        try:
            if len(self._running) >= MOST_OPERATIONS:
                raise DocumentTooComplex
            self.count()
        except OrderError as error:
            await asyncio.sleep(self.seconds_to_wait() if isinstance(error, TooManyRequests) else 0)
            await self._tell(WsMessage("error", name, refusal(error)["errors"]))
            return
        self._running[name] = asyncio.create_task(self._operate(name, request))

    async def _operate(self, name: str, request: GraphqlRequest) -> None:
        """Runs one operation to its end. Tells the client then, unless the client ended it."""
        with suppress(Disconnected):
            try:
                prepared = await self._graphql.prepare(request.query)
                if prepared.operation(request.operation_name) is OperationType.SUBSCRIPTION:
                    with self.follow():
                        last = await self._forward(name, await self._graphql.subscribe(prepared, request, self._caller))
                else:
                    last = await self._forward(name, await self._graphql.execute(prepared, request, self._caller))
            except Disconnected:
                raise
            except TooManyRequests as error:
                last = WsMessage("error", name, refusal(error)["errors"])
            except Exception:  # noqa: BLE001  # the client is told of any error
                _log.exception("an operation ended in an unexpected error")
                last = WsMessage("error", name, refusal(InternalError())["errors"])
            finally:
                self._running.pop(name, None)
            await self._tell(last)

    async def _forward(self, name: str, answer: AsyncIterator[ExecutionResult] | Formatted) -> WsMessage:
        """Sends the results; returns the message that ends the operation."""
        if isinstance(answer, AsyncIterator):
            async for result in answer:
                if not self._authenticator.lets_in(self._authorization):
                    return WsMessage("error", name, refusal(Unauthorized(refused=True))["errors"])
                await self._tell(WsMessage("next", name, formatted(result)))
        elif "data" not in answer:
            return WsMessage("error", name, answer["errors"])
        else:
            await self._tell(WsMessage("next", name, answer))
        return WsMessage("complete", name)

    async def _stop(self, name: str) -> None:
        task = self._running.pop(name, None)
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def _stop_all(self) -> None:
        for name in list(self._running):
            await self._stop(name)

    async def _next(self) -> WsMessage:
        """The client's next message. Raises Disconnected, Closing."""
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            raise Disconnected
        text = message.get("text")
        if text is None:
            raise Closing(4400, "Invalid message: it is binary. Send JSON as a text message.")
        if len(text) > LARGEST_BODY:
            raise Closing(1009, "Message too big")
        try:
            return decode(text.encode(), WsMessage)
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
            raise Closing(4400, f"Invalid message: {reason(error)}"[:100]) from error

    async def _tell(self, message: WsMessage) -> None:
        """Sends a message. Raises Disconnected."""
        try:
            await self._send({"type": "websocket.send", "text": msgspec.json.encode(message).decode()})
        except OSError as error:  # ASGI's error when the client has gone away
            raise Disconnected from error
