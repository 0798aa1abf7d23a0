"""The embedded server's doors: REST by openapi.json, GraphQL over HTTP and websocket, the console.

A request is a value and so is its answer (``App.answer``); websockets come by ASGI.

An operation that writes runs inside one unit of the writer and is answered after the commit that holds it.
"""

import asyncio
import logging
import re
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

import msgspec
from graphql import OperationType

from expediter import contracts
from expediter.api.errors import (
    RETRY_AFTER,
    InternalError,
    MethodNotAllowed,
    NotReady,
    RequestUnparsable,
    TooManyRequests,
    Unauthorized,
    problem,
)
from expediter.api.request import JSON, Headers, Request, Response
from expediter.api.rest import OPERATIONS, Operation, require_json
from expediter.api.routes import Router
from expediter.app.drafts import VISIBLE
from expediter.app.faults import reason
from expediter.app.operator.audit import OPERATIONS as AUDIT
from expediter.app.operator.audit import record_operation
from expediter.app.operator.services import OperatorServices
from expediter.app.outages import text
from expediter.app.ports import Caller, Work
from expediter.app.strict_json import decode
from expediter.domain.errors import OrderError, StoreUnavailable, TaskTokenUnknown, TooBusy
from expediter.embedded.engine.task_tokens import TaskReport
from expediter.embedded.web.asgi import Receive, Scope, Send, headers_of, refuse_websocket
from expediter.embedded.web.backend import Home
from expediter.embedded.web.callers import Proxies
from expediter.embedded.web.console.handlers import Console
from expediter.embedded.web.customer_routes import PEOPLE
from expediter.embedded.web.graphql.executor import Formatted, Graphql, GraphqlRequest
from expediter.embedded.web.graphql.websocket import GraphqlSocket
from expediter.embedded.web.guards import PROBES, Guards
from expediter.embedded.web.http1.request_head import RequestHead
from expediter.embedded.web.http1.responses import Answer
from expediter.embedded.web.shares import Shares
from expediter.embedded.web.sign_ins import WrongTokens
from expediter.embedded.web.task_routes import REPORTS

#: Seconds that the event loop may be behind its time before requests are refused, reads too: so long did they wait.
TOO_LATE = 1.0
#: What is answered all the same: it tells whoever operates the server how it is.
_ALWAYS = PROBES | {"/metrics"}
#: What takes a place in a commit. GraphQL posts its questions too, so it is asked field by field.
_WRITES = frozenset({"POST", "PUT", "DELETE"})
#: Of the others no body is read.
_WITH_BODY = frozenset({"POST", "PUT"})
_BUSY = problem(TooBusy())
#: Errors of a mutation that say: nothing was done, come again.
_LATER = frozenset({TooBusy.__name__, StoreUnavailable.__name__})
#: Websockets open at the same time.
MOST_SOCKETS = 1_000
#: Who passed the guards is an operator: it is his machine, or he has the token.
OPERATOR = Caller()

#: The header in which a program says who acts, and the letters that a name may have; the command line's User-Agent.
OPERATOR_NAME, LONGEST_NAME, CLI = "expediter-operator", 60, "expediter-cli"
#: What is written down with who asked for it, by operationId.
AUDITED = frozenset(AUDIT) | frozenset(PEOPLE)

_GRAPHQL = "/graphql"
_GRAPHQL_JSON = "application/graphql-response+json"
_METRICS = (("Content-Type", "text/plain; version=0.0.4; charset=utf-8"),)
_encode = msgspec.json.Encoder().encode
_log = logging.getLogger("expediter.http")


def health(_: Home) -> Response:
    return Response(200, (("Content-Type", JSON),), b'{"status":"ok"}')


def readiness(home: Home) -> Response:
    """Raises NotReady."""
    if not home.ready():
        raise NotReady(" ".join(map(text, home.outages())))
    return Response(200, (("Content-Type", JSON),), b'{"status":"ready"}')


def metrics(home: Home) -> Response:
    return Response(200, _METRICS, home.metrics())


#: The operations of openapi.json that are about this server itself.
SYSTEM: dict[str, Callable[[Home], Response]] = {
    "getHealth": health,
    "getReadiness": readiness,
    "getMetrics": metrics,
}


def create_app(home: Home) -> "App":
    """The doors of this home."""
    return App(home)


class App:
    """All doors of a home."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._guards = Guards(home.settings)
        self._router = Router(contracts.read("openapi.json"))
        self._graphql = Graphql(home)
        self._proxies = Proxies(home.settings.trusted_proxies)
        self._shares = Shares(asyncio.get_running_loop().time)
        self._wrong_tokens = WrongTokens(home, self._shares.noted)
        self._console = Console(home, self._guards, self._proxies, self._shares, self._wrong_tokens)
        self._sockets = 0
        #: Seconds that the event loop was behind its time when somebody looked last.
        self.late = 0.0

    def end_streams(self) -> None:
        """Ends what would hold up a stop: live pages follow orders for ever."""
        self._console.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A websocket."""
        if self._sockets >= MOST_SOCKETS:
            self._home.shed()
            await refuse_websocket(send, _BUSY)
            return
        self._sockets += 1
        try:
            await self._follow(scope, receive, send)
        except TooManyRequests as error:
            await refuse_websocket(send, problem(error))
        finally:
            self._sockets -= 1

    async def _follow(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Until it has shown a token a websocket has one of its caller's places. Raises TooManyRequests."""
        with ExitStack() as place:
            headers = headers_of(scope)
            caller = self._proxies.caller((scope.get("client") or ("",))[0], headers)
            if not self._guards.is_operator(headers.get("authorization", "")):
                self._shares.websockets.check(caller)
                place.enter_context(self._shares.websockets.held(caller))
            who = msgspec.structs.replace(named(headers), via="GraphQL", address=caller)
            socket = GraphqlSocket(self._graphql, self._guards, who, place.close)
            await socket.run(scope, receive, send)

    def answer(self, head: RequestHead, body: bytes) -> Answer:
        """The answer to a whole request."""
        try:
            if self._refuses(head.method, head.path):
                self._home.shed()
                return _BUSY
            if self._console.serves(head.path):
                return asyncio.create_task(self._console.answer(head, body))
            return self._answer(head, body)
        except Exception as error:  # noqa: BLE001  # as refusal() says
            return self.refusal(error)

    def refusal(self, error: BaseException, /) -> Response:
        """The answer to a request that ended in this error; an unforeseen one is no fault of the client."""
        if isinstance(error, TooBusy):
            return _BUSY
        if isinstance(error, OrderError):
            return problem(error)
        _log.error("a request ended in an unforeseen error", exc_info=error)
        return problem(InternalError())

    def _refuses(self, method: str, path: str) -> bool:
        """Whether it would have to wait too long. Known before anything of it is looked at: while ten times as much
        comes as can be done, orders get what refusals leave.
        """
        if self.late > TOO_LATE:
            return path not in _ALWAYS
        return method in _WRITES and self._home.busy() and path != _GRAPHQL

    def _answer(self, head: RequestHead, body: bytes) -> Answer:
        """Raises OrderError."""
        try:
            self._guards.check(head.path, head.headers)
        except Unauthorized:
            self._count_stranger(head)
            raise
        if head.path == _GRAPHQL:
            check_graphql(head.method, head.headers)
            return asyncio.create_task(self._answer_graphql(head, body))
        name, params = self._router.find(head.method, head.path)
        if name in SYSTEM:
            return SYSTEM[name](self._home)
        request = Request(
            method=head.method,
            path=head.path,
            caller=self._caller(head) if name in AUDITED else OPERATOR,
            new_id=self._home.new_id() if head.method == "POST" else "",
            params=params,
            query=head.arguments(),
            headers=head.headers,
            body=body if head.method in _WITH_BODY else b"",
        )
        if name in REPORTS:
            return asyncio.create_task(self._report(REPORTS[name](request), request, name, head))
        if name in PEOPLE:
            return asyncio.create_task(PEOPLE[name](self._home, request))
        operation = OPERATIONS[name]
        if name in AUDIT:
            return asyncio.create_task(self._home.write_as_operator(partial(_audited, operation, request, name), name))

        def handle(work: Work) -> Response:
            return operation.handle(work, request)

        return self._home.write(handle, name) if operation.writes else self._home.read(handle)

    def _count_stranger(self, head: RequestHead) -> None:
        """One more request without a token, or with a wrong one. Raises TooManyRequests."""
        if "authorization" in head.headers:
            self._wrong_tokens.seen(_via(head), self._proxies.caller(head.peer, head.headers))
        self._shares.requests.count(self._proxies.caller(head.peer, head.headers))

    def _caller(self, head: RequestHead) -> Caller:
        """The operator who asks, as the audit names him."""
        address = self._proxies.caller(head.peer, head.headers)
        return msgspec.structs.replace(named(head.headers), via=_via(head), address=address)

    async def _report(self, report: TaskReport, request: Request, name: str, head: RequestHead) -> Response:
        try:
            await self._home.report(request.params["token"], report, name)
        except TaskTokenUnknown:
            self._count_stranger(head)
            raise
        return Response(204)

    async def _answer_graphql(self, head: RequestHead, body: bytes) -> Response:
        if head.method == "POST":
            request = parse_request(body)
        else:
            request = request_of_query(dict(head.arguments()))
            if self._graphql.operation(request) is OperationType.MUTATION:
                raise MethodNotAllowed("POST")
        answer = await self._graphql.execute(request, self._caller(head))
        if _for_later(answer) and self._graphql.is_single(request):
            return Response(503, (("Content-Type", JSON), ("Retry-After", RETRY_AFTER)), _encode(answer))
        if _GRAPHQL_JSON in head.headers.get("accept", ""):
            status = 200 if "data" in answer else 400
            return Response(status, (("Content-Type", _GRAPHQL_JSON),), _encode(answer))
        return Response(200, (("Content-Type", JSON),), _encode(answer))


def _audited(operation: Operation, request: Request, name: str, services: OperatorServices) -> Response:
    response = operation.handle(services.work, request)
    record_operation(services, request.caller, name, request.params.get("id"))
    return response


def named(headers: Headers) -> Caller:
    """The operator under the name that he gives himself in ``Expediter-Operator``, if it can be read."""
    name = headers.get(OPERATOR_NAME, "").strip()
    readable = len(name) <= LONGEST_NAME and name.isascii() and re.match(VISIBLE, name)
    return Caller(name=name) if readable else OPERATOR


def _via(head: RequestHead) -> str:
    """The door that a request came by, as the audit calls it."""
    if head.path == _GRAPHQL:
        return "GraphQL"
    return "CLI" if head.headers.get("user-agent", "").startswith(CLI) else "REST"


def check_graphql(method: str, headers: Headers) -> None:
    """Raises MediaTypeUnsupported, MethodNotAllowed."""
    if method == "POST":
        require_json(headers.get("content-type", ""))
    elif method not in {"GET", "HEAD"}:
        raise MethodNotAllowed("GET, POST")


def _for_later(answer: Formatted) -> bool:
    """Its one field was not carried out and may be tried again: proxies and clients see that by the status alone."""
    codes = {error["extensions"]["code"] for error in answer.get("errors", ())}
    return answer.get("data") is None and bool(codes) and codes <= _LATER


def parse_request(body: bytes) -> GraphqlRequest:
    """Raises RequestUnparsable."""
    try:
        return decode(body, GraphqlRequest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RequestUnparsable(
            f"The body is not a GraphQL request: {reason(error)}. Send JSON with a query."
        ) from error


def request_of_query(given: dict[str, str]) -> GraphqlRequest:
    """The request in an address's parameters. Raises RequestUnparsable."""
    try:
        variables = decode((given.get("variables") or "null").encode("utf-8", "replace"), object)
        return msgspec.convert({**given, "variables": variables, "extensions": None}, GraphqlRequest)
    except (msgspec.DecodeError, RecursionError) as error:
        raise RequestUnparsable(f"The address holds no GraphQL request: {reason(error)}. Give ?query=.") from error
