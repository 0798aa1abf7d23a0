"""What the server answers: the operations of openapi.json, GraphQL over HTTP and websocket, the console.

A request and its answer are values (``App.answer``). Websockets come by ASGI.
"""

import asyncio
import logging
import re
from contextlib import AbstractContextManager, ExitStack
from functools import partial

import msgspec

from expediter import contracts
from expediter.api.access import require
from expediter.api.errors import InternalError, IssuerUnavailable, TooManyRequests, Unauthorized, problem
from expediter.api.request import Headers, Request, Response
from expediter.api.routes import Router, operations
from expediter.app.field_types import VISIBLE
from expediter.app.payments.signature import SignatureRefused
from expediter.app.ports import Caller
from expediter.domain.errors import OrderError, TaskTokenUnknown, TooBusy
from expediter.embedded.sqlite.units import BATCH_LIMIT, QUEUE_LIMIT
from expediter.embedded.web.access.authenticator import OPERATOR, Authenticator
from expediter.embedded.web.access.issuer import SigningKeyUnknown
from expediter.embedded.web.asgi import KNOWN, Receive, Scope, Send, headers_of, peer_of, refuse_websocket, stays
from expediter.embedded.web.backend import Backend
from expediter.embedded.web.console.handlers import PAGES, Console
from expediter.embedded.web.graphql import over_http
from expediter.embedded.web.graphql.executor import Graphql
from expediter.embedded.web.graphql.websocket import GraphqlSocket
from expediter.embedded.web.guards import Guards, Proxies
from expediter.embedded.web.http1.request_cycle import Answer, Lines
from expediter.embedded.web.http1.request_head import RequestHead
from expediter.embedded.web.operations import OPERATIONS, Kind, Operation, steps
from expediter.embedded.web.shares import Shares
from expediter.embedded.web.sign_ins import WrongTokens

#: Requests are refused, reads too, while the event loop runs so many seconds late: they have waited as long.
TOO_LATE = 1.0
#: Seconds behind its time from which on the loop makes requests wait.
LATE = 0.03
#: What a load balancer asks without a token.
PROBES = frozenset({"/healthz", "/readyz"})
#: Requests that are answered even then. They tell operators how the server is.
_ALWAYS = PROBES | {"/metrics"}
#: Where a path holds the token of a task.
TASKS = "/tasks/"
#: Paths of requests that carry the sender's signature in a header.
EVENTS = frozenset({"/webhooks/stripe", "/webhooks/payments"})
#: The caller of these requests. They need nothing but the token in the path, or the signature.
NOBODY = Caller(operator=False, scopes=frozenset())
#: Methods that write. GraphQL posts queries too, so each of its fields is looked at instead.
_WRITES = frozenset({"POST", "PUT", "DELETE"})
#: Methods whose bodies are read.
_WITH_BODY = frozenset({"POST", "PUT"})
_BUSY = problem(TooBusy())
#: Websockets open at the same time.
MOST_SOCKETS = 1_000
#: The header in which a program says who acts, and the letters that a name may have; the command line's User-Agent.
OPERATOR_NAME, LONGEST_NAME, CLI = "expediter-operator", 60, "expediter-cli"
#: Kinds of operations whose caller the audit names.
_NAMED = frozenset({Kind.ACT, Kind.STEPS})

_GRAPHQL = "/graphql"
#: Clients use TLS for this host from now on, for a year (RFC 6797).
_ONLY_HTTPS: Lines = (("Strict-Transport-Security", "max-age=31536000"),)
_log = logging.getLogger("expediter.http")


def create_app(home: Backend) -> "App":
    """The application of this home."""
    return App(home)


class App:
    """Answers all requests to a home."""

    #: Where websockets are taken.
    sockets = frozenset({_GRAPHQL})

    def __init__(self, home: Backend) -> None:
        self._home = home
        self._proxies = Proxies(home.settings.trusted_proxies)
        self._guards = Guards(home.settings, self._proxies)
        self._graphql = Graphql(home)
        self._router = Router(_table(self._graphql))
        self._authenticator = Authenticator(home)
        self._open = self._authenticator.open
        self._shares = Shares(
            asyncio.get_running_loop().time,
            signs_in=not self._authenticator.open,
            room_taken=home.room_taken,
            contended=self._is_contended,
        )
        self._wrong_tokens = WrongTokens(home, self._shares.noted_of_address, self._shares.noted)
        self._console = Console(
            home,
            self._guards,
            self._authenticator,
            proxies=self._proxies,
            shares=self._shares,
            wrong_tokens=self._wrong_tokens,
        )
        self._sockets = 0
        #: How many seconds late the event loop ran when it was measured last.
        self.late = 0.0
        #: How many requests waited then for their turn to be read.
        self.waiting = 0

    def end_streams(self) -> None:
        """Closes the live pages. They follow orders for ever, so the server could not stop."""
        self._console.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A websocket."""
        if self._sockets >= MOST_SOCKETS or self.late > TOO_LATE:
            self._home.shed()
            await refuse_websocket(send, _BUSY)
            return
        self._sockets += 1
        refusal: Response | None = None
        try:
            await self._follow(scope, receive, send)
        except (TooManyRequests, TooBusy) as error:
            refusal = problem(error)
        finally:
            self._sockets -= 1
        if refusal:
            seconds = self._shares.refusals.wait(self._proxies.caller(peer_of(scope), headers_of(scope)))
            if await stays(receive, seconds):
                await refuse_websocket(send, refusal)

    async def _follow(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A websocket counts for its address until it has shown a token, then for its caller.

        Raises TooManyRequests, TooBusy.
        """
        with ExitStack() as place:
            headers = headers_of(scope)
            address = self._proxies.caller(peer_of(scope), headers)
            place.enter_context(await self._place(headers.get("authorization", ""), address))

            async def greet(authorization: str) -> Caller:
                """Raises Unauthorized, IssuerUnavailable, TooManyRequests."""
                try:
                    caller = await self._authenticator.look_up(authorization)
                except Unauthorized:
                    self._wrong_tokens.seen(authorization, "GraphQL", address)
                    raise
                place.close()
                place.enter_context(self._shares.socket(caller, address))
                socket.count = partial(self._shares.count, caller, address)
                socket.follow = partial(self._shares.subscription, caller, address)
                socket.seconds_to_wait = partial(self._shares.refusals.wait, address)
                scope["extensions"][KNOWN]()
                return named(caller, headers, "GraphQL", address)

            socket = GraphqlSocket(self._graphql, self._guards, self._authenticator, greet)
            await socket.run(scope, receive, send)

    async def _place(self, authorization: str, address: str) -> AbstractContextManager[None]:
        """A websocket's place at its handshake, which counts as a request. Raises TooManyRequests, TooBusy."""
        try:
            caller = await self._authenticator.look_up(authorization)
        except (Unauthorized, IssuerUnavailable):
            self._shares.requests.count(address)
            return self._shares.websockets.taken(address)
        self._shares.count(caller, address)
        return self._shares.socket(caller, address)

    def _is_contended(self) -> bool:
        """Whether requests have to wait: for their turn to be read, for the loop, or for a commit after the next."""
        return self.waiting > 0 or self.late > LATE or self._home.room_taken() > BATCH_LIMIT / QUEUE_LIMIT

    def answer(self, head: RequestHead, body: bytes) -> Answer:
        """The answer to a whole request."""
        try:
            if self._refuses(head.method, head.path):
                self._home.shed()
                return _BUSY
            if head.path in {"/", "/console"} or head.path.startswith(PAGES):
                return asyncio.create_task(self._console.answer(head, body))
            return self._answer(head, body)
        except Exception as error:  # noqa: BLE001  # as refusal() says
            return self.refusal(error)

    def lines(self, peer: str, headers: Headers, /) -> Lines:
        """The header lines of whatever is answered to a request with these headers."""
        return _ONLY_HTTPS if self._proxies.came_by_https(peer, headers) else ()

    def seconds_to_wait(self, head: RequestHead, /) -> float:
        """Counts a request that is answered 429. Returns the seconds after which its answer is sent."""
        return self._shares.refusals.wait(self._proxies.caller(head.peer, head.headers))

    def refusal(self, error: BaseException, /) -> Response:
        """The answer to a request that ended in this error. An unexpected error is not the client's fault."""
        if isinstance(error, TooBusy):
            return _BUSY
        if isinstance(error, OrderError):
            return problem(error)
        _log.error("a request ended in an unexpected error", exc_info=error)
        return problem(InternalError())

    def _refuses(self, method: str, path: str) -> bool:
        """Whether the request would wait too long. It looks at nothing else: in an overload, cheap refusals leave time
        for orders.
        """
        if self.late > TOO_LATE:
            return path not in _ALWAYS
        return method in _WRITES and self._home.busy() and path != _GRAPHQL

    def _answer(self, head: RequestHead, body: bytes) -> Answer:
        """Raises OrderError."""
        self._guards.check(head.peer, head.headers)
        if head.path in PROBES:
            seconds = self._shares.probes.wait(self._proxies.caller(head.peer, head.headers))
            if seconds:
                return asyncio.create_task(self._probe_later(head, body, seconds))
            return self._carry_out(head, body, NOBODY)
        if head.path.startswith(TASKS) or head.path in EVENTS:
            self._shares.count_reporter(self._proxies.caller(head.peer, head.headers))
            return self._carry_out(head, body, NOBODY)
        try:
            caller = OPERATOR if self._open else self._authenticator.caller(head.headers.get("authorization", ""))
        except SigningKeyUnknown:
            return asyncio.create_task(self._once_key_is_known(head, body))
        except Unauthorized:
            self._count_stranger(head)
            raise
        self._count(caller, head.peer, head.headers)
        return self._carry_out(head, body, caller)

    async def _probe_later(self, head: RequestHead, body: bytes, seconds: float) -> Response:
        """The answer to a probe, after so many seconds."""
        await asyncio.sleep(seconds)
        answer = self._carry_out(head, body, NOBODY)
        return answer if isinstance(answer, Response) else await answer

    async def _once_key_is_known(self, head: RequestHead, body: bytes) -> Response:
        """The answer. Asks the issuer for the key of the request's token first. Raises OrderError."""
        try:
            caller = await self._authenticator.look_up(head.headers["authorization"])
        except Unauthorized:
            self._count_stranger(head)
            raise
        self._count(caller, head.peer, head.headers)
        answer = self._carry_out(head, body, caller)
        return answer if isinstance(answer, Response) else await answer

    def _carry_out(self, head: RequestHead, body: bytes, caller: Caller) -> Response | asyncio.Future[Response]:
        """Raises OrderError."""
        found = self._router.fixed.get((head.method, head.path))
        operation, params = found or self._router.find(head.method, head.path)
        if operation.need not in caller.scopes:
            require(caller.scopes, operation.need)
        request = Request(
            method=head.method,
            path=head.path,
            caller=self._named(head, caller) if operation.kind in _NAMED else caller,
            new_id=self._home.new_id() if head.method == "POST" else "",
            params=params,
            query=head.arguments(),
            headers=head.headers,
            body=body if head.method in _WITH_BODY else b"",
        )
        if head.path.startswith(TASKS) or head.path in EVENTS:
            return asyncio.create_task(self._by_what_it_shows(operation, request, head))
        return operation.carry_out(self._home, request)

    def _count(self, caller: Caller, peer: str, headers: Headers) -> None:
        """Counts a request of a known caller. Raises TooManyRequests."""
        self._shares.count(caller, self._proxies.caller(peer, headers))

    def _count_stranger(self, head: RequestHead) -> None:
        """Counts a request without a token, or with a wrong one. Raises TooManyRequests."""
        if "authorization" in head.headers:
            self._wrong_tokens.seen(
                head.headers["authorization"], _via(head), self._proxies.caller(head.peer, head.headers)
            )
        self._shares.requests.count(self._proxies.caller(head.peer, head.headers))

    def _named(self, head: RequestHead, caller: Caller) -> Caller:
        """The caller with the name that the audit has for him."""
        return named(caller, head.headers, _via(head), self._proxies.caller(head.peer, head.headers))

    async def _by_what_it_shows(self, operation: Operation, request: Request, head: RequestHead) -> Response:
        """As ``carry_out``. A request with an unknown token or a wrong signature counts as one without a token."""
        try:
            answer = operation.carry_out(self._home, request)
            return answer if isinstance(answer, Response) else await answer
        except (TaskTokenUnknown, SignatureRefused):
            self._count_stranger(head)
            raise


def named(caller: Caller, headers: Headers, via: str, address: str) -> Caller:
    """The caller with his channel and address. A caller with the plain token has the name that he sends in
    ``Expediter-Operator``, if it can be read.
    """
    name = headers.get(OPERATOR_NAME, "").strip() if caller is OPERATOR else ""
    readable = len(name) <= LONGEST_NAME and name.isascii() and re.match(VISIBLE, name)
    return msgspec.structs.replace(caller, name=name if readable else caller.name, via=via, address=address)


def _via(head: RequestHead) -> str:
    """The audit's name for the channel of a request: the command line, the console or REST."""
    if head.path == _GRAPHQL:
        return "GraphQL"
    return "CLI" if head.headers.get("user-agent", "").startswith(CLI) else "REST"


def _table(graphql: Graphql) -> dict[tuple[str, str], Operation]:
    """The operation for every method and path."""
    asked = steps(lambda _, request: over_http.answer(graphql, request))
    names = operations(contracts.read("openapi.json")).items()
    return {("GET", _GRAPHQL): asked, ("POST", _GRAPHQL): asked, **{where: OPERATIONS[name] for where, name in names}}
