"""Serves the console and the customers' pages: sign-in, forms, files and live streams.

Rules:
 - operators sign in where a token or an issuer is set. Without either, which is only on loopback, a session begins
   without a sign-in;
 - an act is a POST with a token that only a page of this session has. Posts from other sites do not carry the session's
   cookie;
 - a form that is sent twice without a change acts once;
 - pages load nothing from other servers and run no inline script (Content-Security-Policy).
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import ExitStack, aclosing
from functools import partial

import msgspec

from expediter.api.access import require
from expediter.api.errors import (
    FormExpired,
    MethodNotAllowed,
    NotReady,
    PathUnknown,
    problem,
    status,
    title,
)
from expediter.api.request import Headers, Response
from expediter.api.routes import Router
from expediter.app.gateways import GatewayName
from expediter.app.operator.audit import Operator
from expediter.app.operator.scenarios import SCENARIOS
from expediter.app.operator.services import OperatorServices
from expediter.console import routes
from expediter.console.pages.customer import customer_mark, opened_order, show_customer
from expediter.console.render import plain
from expediter.console.visit import Route, Site, Visit
from expediter.domain.errors import OrderError, TooBusy
from expediter.embedded.clock import new_id
from expediter.embedded.web.access.authenticator import Authenticator
from expediter.embedded.web.backend import Backend
from expediter.embedded.web.console import live, sign_in
from expediter.embedded.web.console.live import LivePage
from expediter.embedded.web.console.rehearsal import Rehearsals
from expediter.embedded.web.console.responses import cookie, cookie_in, fields, live_stream, lively, page
from expediter.embedded.web.console.sent_forms import SentForms
from expediter.embedded.web.console.session import LASTS, ConsoleSession, ConsoleSessions, form_token, is_ours
from expediter.embedded.web.console.sign_in import SignIn
from expediter.embedded.web.console.static_files import PREFIX, assets
from expediter.embedded.web.console.trials import Trials
from expediter.embedded.web.guards import Guards, Proxies
from expediter.embedded.web.http1.request_cycle import Stream
from expediter.embedded.web.http1.request_head import RequestHead
from expediter.embedded.web.shares import Shares
from expediter.embedded.web.sign_ins import WrongTokens

_PAGES = Router(routes.ROUTES)
_KEPT = ("Cache-Control", "public, max-age=31536000, immutable")
#: Live pages open at the same time. Each costs a read once a second.
MOST_STREAMS = 1_000
#: The operator's name on loopback, where nobody signs in.
_LOCAL = "operator"


#: The session of a customer who follows a link. It has no right to act.
NOBODY = ConsoleSession("", b"", 0)
#: Paths that only show something: files, live pages, customers' pages.
_LOOKED_AT = (PREFIX, "/console/live/", "/o/")
#: The beginnings of the paths of all pages, beside "/" and "/console".
PAGES = ("/console/", "/o/")


class Console:
    """Answers the requests for the paths that it ``serves``."""

    def __init__(
        self,
        home: Backend,
        guards: Guards,
        authenticator: Authenticator,
        *,
        proxies: Proxies,
        shares: Shares,
        wrong_tokens: WrongTokens,
    ) -> None:
        self._home = home
        self._guards = guards
        self._proxies = proxies
        self._shares = shares
        self._authenticator = authenticator
        self._sessions = ConsoleSessions(asyncio.get_running_loop().time)
        self._assets = assets()
        self._sign_in = SignIn(
            home, authenticator, self._sessions, self._asset, proxies=proxies, shares=shares, wrong_tokens=wrong_tokens
        )
        self._journal = live.Journal(home.feed, self._now, self._counts)
        self._rehearsals = Rehearsals(home)
        self._trials = Trials()
        self._sent_forms = SentForms()
        #: Live pages that are open.
        self._streams = 0
        self._stopping = asyncio.Event()
        self._site = Site(
            gateways={GatewayName.PAYMENTS: home.settings.payments, GatewayName.RESTAURANT: home.settings.restaurant},
            simulated=home.settings.simulated,
            signs_in=not authenticator.open,
            link=home.customer_links.link,
            asset=self._asset,
        )

    def close(self) -> None:
        """Ends the live streams and begins no more, so that the server can stop."""
        self._stopping.set()
        self._journal.close()

    async def answer(self, head: RequestHead, body: bytes) -> Response | Stream:
        """Answers every expected error with a page."""
        secure = self._proxies.came_by_https(head.peer, head.headers)
        caller = self._proxies.caller(head.peer, head.headers)
        try:
            answer = await self._answer(head, body, caller, secure=secure)
            if isinstance(answer, LivePage):
                events = self._counted(answer, caller)
                await anext(events)
                return live_stream(events)
        except OrderError as error:
            answer = self._problem(error, head.headers)
        return page(head.headers, answer)

    async def _counted(self, live: LivePage, caller: str) -> AsyncGenerator[bytes]:
        """The events of a live page. The first one is empty: it says that the page has its places.

        Raises NotReady, TooBusy, TooManyRequests.
        """
        if self._stopping.is_set():
            raise NotReady
        if self._streams >= MOST_STREAMS:
            raise TooBusy
        with ExitStack() as places:
            for kind, who in live.places(self._shares, caller):
                places.enter_context(kind.taken(who))
            self._streams += 1
            places.callback(self._close_stream)
            yield b""
            async with aclosing(lively(live.events, self._stopping)) as told:
                async for event in told:
                    if live.cookie and not self._found(live.cookie):
                        return  # the operator has signed out, or the session has ended
                    yield event

    def _close_stream(self) -> None:
        self._streams -= 1

    # ── which page ────────────────────────────────────────────────────────────────────────────────────────────────

    async def _answer(self, head: RequestHead, body: bytes, caller: str, *, secure: bool) -> Response | LivePage:
        path, headers = head.path.rstrip("/") or "/", head.headers
        self._guards.check(head.peer, headers)
        _require_method(head.method, path)
        if path.startswith(PREFIX):
            self._shares.files.count(caller)
            return self._file(path.removeprefix(PREFIX), headers)
        if path.startswith("/o/"):
            self._shares.requests.count(caller)
            return self._customer(path.removeprefix("/o/"), _seen(head))
        if path == sign_in.PATH or path.startswith(f"{sign_in.PATH}/"):
            self._shares.requests.count(caller)
            return await self._sign_in.answer(path, head, body, caller, secure=secure)
        session, begun = self._session(headers, secure=secure)
        if session is None:
            self._shares.requests.count(caller)
            return self._sign_in.refusal()
        self._shares.count(session.caller, caller)
        if path == "/console/sign-out" and head.method == "POST":
            self._form(body, session)
            self._sessions.end(cookie_in(headers))
            return Response(303, (("Location", "/console/sign-in"), cookie("", 0, secure=secure)))
        answer = await self._for_operator(path, head, body, session)
        if isinstance(answer, LivePage):
            shown = "" if self._authenticator.open else cookie_in(headers)
            return answer._replace(who=self._shares.who(session.caller, caller), cookie=shown)
        if begun:
            return Response(answer.status, (*answer.headers, begun), answer.body)
        return answer

    async def _for_operator(
        self, path: str, head: RequestHead, body: bytes, session: ConsoleSession
    ) -> Response | LivePage:
        if path == "/":
            return Response(307, (("Location", "/console"),))
        if path.startswith("/console/live/"):
            return self._live(path.removeprefix("/console/live/"), _seen(head), session)
        route, params = _PAGES.find(head.method, path)
        require(session.caller.scopes, route.need)
        form = self._form(body, session) if head.method == "POST" else {}
        address = self._proxies.caller(head.peer, head.headers)
        visit = self._visit(session, params, dict(head.arguments()), form, address)
        if route.writes:
            return await self._sent_forms.once(path, body, partial(self._act, route, visit))
        return await self._show(route, visit)

    def _visit(
        self,
        session: ConsoleSession,
        params: Mapping[str, str],
        query: dict[str, str],
        form: dict[str, str],
        address: str = "",
    ) -> Visit:
        return Visit(
            site=self._site,
            who=Operator(session.name, address=address),
            form_token=partial(form_token, session),
            now=self._now(),
            new_id=new_id,
            params=params,
            query=query,
            form=form,
            seen=self._journal.place(),
            scopes=session.caller.scopes,
        )

    async def _show(self, route: Route, visit: Visit) -> Response:
        if route.tries:
            visit = msgspec.structs.replace(visit, trial=await self._trials.run(visit.form))
        return await self._home.read_page(lambda services: route.handle(services, visit))

    async def _act(self, route: Route, visit: Visit) -> Response:
        response = await self._home.write_as_operator(lambda services: route.handle(services, visit), route.writes)
        if response.status == 303 and visit.form.get("scenario") in SCENARIOS:
            self._rehearsals.began(SCENARIOS[visit.form["scenario"]], dict(response.headers)["Location"])
        return response

    # ── sessions ─────────────────────────────────────────────────────────────────────────────────────────────

    def _session(self, headers: Headers, *, secure: bool) -> tuple[ConsoleSession | None, tuple[str, str] | None]:
        """The session of this browser, and a cookie if the session is new. None: the operator has to sign in."""
        if session := self._found(cookie_in(headers)):
            return session, None
        if not self._authenticator.open:
            return None, None
        session, value = self._sessions.begin(_LOCAL)
        return session, cookie(value, LASTS, secure=secure)

    def _found(self, value: str) -> ConsoleSession | None:
        """The session of this cookie, unless the operator's key or token is not valid any more."""
        session = self._sessions.find(value)
        if session and session.shown and not self._authenticator.lets_in(session.shown):
            self._sessions.end(value)
            return None
        return session

    def _form(self, body: bytes, session: ConsoleSession) -> dict[str, str]:
        """The fields of a form that this session's page sent. Raises FormExpired for any other."""
        form = fields(body)
        if not is_ours(session, form.pop("csrf", "")):
            raise FormExpired
        return form

    # ── parts ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _customer(self, rest: str, seen: str) -> Response | LivePage:
        """Raises PathUnknown, OrderNotFound."""
        token, _, live = rest.partition("/")
        link = self._home.customer_links.opened(token, self._now())
        if link is None or live not in {"", "live"}:
            raise PathUnknown("This link is wrong, or it has expired. Check it, or ask for a new one.")
        order_id, generation = link
        if live:
            self._home.read_as_operator(lambda services: opened_order(services, order_id, generation))
            mark = partial(customer_mark, order_id=order_id, generation=generation)
            return LivePage(self._marked(mark, order_id, seen), order_id)
        visit = self._visit(NOBODY, {"id": order_id}, {"here": f"/o/{token}"}, {})
        return self._home.read_as_operator(lambda services: show_customer(services, visit, generation))

    def _live(self, what: str, seen: str, session: ConsoleSession) -> LivePage:
        """Raises PathUnknown, ScopeMissing."""
        order_id = what.removeprefix("orders/") if what.startswith("orders/") else ""
        need = routes.LIVE.get("orders/{id}" if order_id else what)
        if need is None:
            raise PathUnknown(f"There is no live page called {what}.")
        require(session.caller.scopes, need)
        if what == "orders":
            return LivePage(self._journal.follow(seen))
        if order_id:
            return LivePage(self._marked(lambda services: services.runs.mark(order_id), order_id, seen))
        return LivePage(self._marked(routes.MARKED[what].mark, None, seen))

    def _marked(
        self, mark: Callable[[OperatorServices], str], order_id: str | None, seen: str
    ) -> AsyncGenerator[bytes]:
        return live.marks(self._home.feed, order_id, lambda: self._home.read_as_operator(mark), seen)

    def _file(self, name: str, headers: Headers) -> Response:
        asset = self._assets.get(name)
        if asset is None:
            raise PathUnknown(f"There is no file {name}.")
        packed = "gzip" in headers.get("accept-encoding", "")
        extra = (("Content-Encoding", "gzip"),) if packed else ()
        return Response(200, (("Content-Type", asset.type), _KEPT, *extra), asset.packed if packed else asset.body)

    def _asset(self, name: str) -> str:
        return f"{PREFIX}{name}?{self._assets[name].version}"

    def _problem(self, error: OrderError, headers: Headers) -> Response:
        """The error as a page for a browser, else as a problem document like the API's."""
        told = problem(error)
        if "text/html" not in headers.get("accept", ""):
            return told
        shown = plain(title(error.name), str(error), self._asset, status=status(error), back="/console")
        return Response(shown.status, (*told.headers, *shown.headers), shown.body)

    def _counts(self) -> dict[str, int]:
        counts = self._home.read_as_operator(lambda services: services.flow.counts())
        return {status.value: count for status, count in counts.items()} | {"ALL": sum(counts.values())}

    def _now(self) -> int:
        return self._home.clock.now()


def _require_method(method: str, path: str) -> None:
    """Raises MethodNotAllowed."""
    allowed = ("GET", "HEAD") if path.startswith(_LOOKED_AT) else ("GET", "HEAD", "POST")
    if method not in allowed:
        raise MethodNotAllowed(", ".join(allowed))


def _seen(head: RequestHead) -> str:
    """The last event that a tab has seen: of its stream before it broke off, or of its page."""
    return head.headers.get("last-event-id") or dict(head.arguments()).get("after", "")
