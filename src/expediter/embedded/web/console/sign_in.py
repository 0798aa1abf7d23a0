"""Signing in at the console: with the server's token or a key in a form, or through the issuer."""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from expediter.api.errors import PathUnknown, Unauthorized
from expediter.api.request import Response
from expediter.app.field_types import VISIBLE
from expediter.app.ports import Caller
from expediter.console.render import plain
from expediter.embedded.web.access.authenticator import OPERATOR, Authenticator
from expediter.embedded.web.access.code_flow import LONGEST, CodeFlow
from expediter.embedded.web.backend import Backend
from expediter.embedded.web.console.responses import SIGN_IN, cookie, cookie_in, fields
from expediter.embedded.web.console.session import LASTS, ConsoleSessions
from expediter.embedded.web.guards import Proxies
from expediter.embedded.web.http1.request_head import RequestHead
from expediter.embedded.web.shares import Shares
from expediter.embedded.web.sign_ins import WrongTokens

PATH = "/console/sign-in"
_WELCOME = "Show that you are an operator of this server."
_NO_OPERATOR = "You are signed in, but not as an operator of this server. Ask one to be put into a group of operators."


class SignIn:
    """Answers the requests for PATH."""

    def __init__(
        self,
        home: Backend,
        authenticator: Authenticator,
        sessions: ConsoleSessions,
        asset: Callable[[str], str],
        *,
        proxies: Proxies,
        shares: Shares,
        wrong_tokens: WrongTokens,
    ) -> None:
        self._authenticator = authenticator
        self._sessions = sessions
        self._proxies = proxies
        self._shares = shares
        self._wrong_tokens = wrong_tokens
        self._asset = asset
        issuer = authenticator.issuer
        self._flow = CodeFlow(issuer, home.clock) if issuer else None
        self._issuer_name = urlsplit(issuer.oidc.issuer).hostname or "" if issuer else ""

    async def answer(self, path: str, head: RequestHead, body: bytes, caller: str, *, secure: bool) -> Response:
        """Raises TooManyRequests, IssuerUnavailable, PathUnknown. ``caller``: the address of the client."""
        if self._authenticator.open:
            return Response(303, (("Location", "/console"),))
        if path == PATH:
            return await self._by_form(body, caller, secure=secure) if head.method == "POST" else self.page(_WELCOME)
        if self._flow is None or head.method != "GET":
            raise PathUnknown
        back = f"{'https' if secure else 'http'}://{self._proxies.host(head.peer, head.headers)}{PATH}/return"
        if path == f"{PATH}/issuer":
            address, browser = await self._flow.begin(back, caller)
            return Response(303, (("Location", address), cookie(browser, LONGEST // 1000, secure=secure, name=SIGN_IN)))
        if path == f"{PATH}/return":
            return await self._by_issuer(self._flow, head, caller, secure=secure)
        raise PathUnknown

    def page(self, text: str, code: int = 200) -> Response:
        """The sign-in page."""
        page = plain("Sign in", text, self._asset, status=code, sign_in=True, issuer=self._issuer_name)
        asks = (("WWW-Authenticate", "Bearer"),) if code == 401 else ()
        return Response(code, (*page.headers, *asks), page.body)

    def refusal(self) -> Response:
        """The sign-in page in place of another page."""
        return self.page(_WELCOME, 401)

    async def _by_form(self, body: bytes, address: str, *, secure: bool) -> Response:
        self._shares.sign_ins.check(address)
        form = fields(body)
        given = f"Bearer {form.get('token', '').strip()}"
        try:
            caller = await self._authenticator.look_up(given)
        except Unauthorized:
            self._shares.sign_ins.failed(address)
            self._wrong_tokens.seen(given, "console", address)
            return self.page("That is not a token of this server.", 401)
        self._shares.sign_ins.succeeded(address)
        if not caller.operator:
            return self.page(_NO_OPERATOR, 403)
        # A key and a token of the issuer name the operator. The plain token does not.
        name = " ".join(form.get("name", "").split())[:60] if caller is OPERATOR else caller.name
        if not re.match(VISIBLE, name):
            return self.page("Give your name: the audit records your actions under it.", 401)
        return self._begun(name, caller, given, secure=secure)

    async def _by_issuer(self, flow: CodeFlow, head: RequestHead, address: str, *, secure: bool) -> Response:
        self._shares.sign_ins.check(address)
        try:
            caller = await flow.end(dict(head.arguments()), cookie_in(head.headers, SIGN_IN))
        except Unauthorized:
            self._shares.sign_ins.failed(address)
            return self.page("The sign-in was not completed. Begin again.", 401)
        if not caller.operator:
            return self.page(_NO_OPERATOR, 403)
        return self._begun(caller.name, caller, "", secure=secure)

    def _begun(self, name: str, caller: Caller, shown: str, *, secure: bool) -> Response:
        _, value = self._sessions.begin(name, caller, shown)
        return Response(303, (("Location", "/console"), cookie(value, LASTS, secure=secure)))
