"""Signing in through the issuer: the authorization code flow with PKCE, as a public client without a secret.

https://openid.net/specs/openid-connect-core-1_0.html#CodeFlowAuth, RFC 7636.
"""

import base64
import hashlib
import hmac
import logging
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlencode

import msgspec

from expediter.api.access import caller_of
from expediter.api.errors import IssuerUnavailable
from expediter.app.ports import Caller
from expediter.asl.protocol import Json
from expediter.embedded.clock import Clock
from expediter.embedded.web.access.issuer import Issuer, SigningKeyUnknown
from expediter.embedded.web.access.tokens import checked, claims_of, refused, time_range

#: The scopes of a sign-in: who the person is, and a name for the audit.
SCOPE = "openid profile"
#: Sign-ins under way at most, in all and of one address, and milliseconds that one may take.
MOST, MOST_OF_ADDRESS, LONGEST = 1_000, 20, 600_000

_log = logging.getLogger("expediter.issuer")


class _Began(NamedTuple):
    """A sign-in under way. ``caller``: the address that it came from. ``browser``: the cookie of the browser that began
    it. ``until``: ms since 1970 UTC.
    """

    caller: str
    browser: str
    nonce: str
    verifier: str
    back: str
    until: int


class _Tokens(msgspec.Struct, frozen=True):
    id_token: str


class CodeFlow:
    def __init__(self, issuer: Issuer, clock: Clock) -> None:
        self._issuer = issuer
        self._clock = clock
        self._began: OrderedDict[str, _Began] = OrderedDict()

    async def begin(self, back: str, caller: str) -> tuple[str, str]:
        """The issuer's page to sign in, and the cookie that the browser sends to ``back``. ``caller``: the address that
        it comes from. Raises IssuerUnavailable.
        """
        discovery = await self._issuer.discover()
        if not discovery.authorization_endpoint:
            _log.warning("signing in at the issuer failed", extra={"reason": "it names no authorization_endpoint"})
            raise IssuerUnavailable
        browser, state, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        nonce = secrets.token_urlsafe(16)
        self._make_room(caller)
        self._began[state] = _Began(caller, browser, nonce, verifier, back, self._clock.now() + LONGEST)
        asked = {
            "response_type": "code",
            "client_id": self._issuer.oidc.client_id,
            "redirect_uri": back,
            "scope": SCOPE,
            "state": state,
            "nonce": nonce,
            "code_challenge": _challenge(verifier),
            "code_challenge_method": "S256",
        }
        mark = "&" if "?" in discovery.authorization_endpoint else "?"
        return f"{discovery.authorization_endpoint}{mark}{urlencode(asked)}", browser

    def _make_room(self, caller: str) -> None:
        """Forgets the oldest sign-in of an address that has too many, so that it does not push out those of others."""
        its = [state for state, began in self._began.items() if began.caller == caller]
        if len(its) >= MOST_OF_ADDRESS:
            del self._began[its[0]]
        elif len(self._began) >= MOST:
            self._began.popitem(last=False)

    async def end(self, given: Mapping[str, str], browser: str) -> Caller:
        """Who has signed in, from the parameters that the issuer gave the browser. Raises Unauthorized,
        IssuerUnavailable.
        """
        began = self._began.pop(given.get("state", ""), None)
        if began is None or not _same(browser, began.browser) or began.until < self._clock.now():
            raise refused()
        form = {
            "grant_type": "authorization_code",
            "code": given.get("code", ""),
            "redirect_uri": began.back,
            "client_id": self._issuer.oidc.client_id,
            "code_verifier": began.verifier,
        }
        claims = await self._checked(await self._token(form))
        if not _same(str(claims.get("nonce", "")), began.nonce):
            raise refused()
        return caller_of(claims_of(claims, self._issuer.oidc))

    async def _token(self, form: dict[str, str]) -> str:
        discovery = await self._issuer.discover()
        status, body = await self._issuer.post_form(discovery.token_endpoint, urlencode(form).encode())
        try:
            if status != 200:
                raise refused()
            return msgspec.json.decode(body, type=_Tokens).id_token
        except msgspec.DecodeError as error:
            _log.warning("signing in at the issuer failed", extra={"reason": "it answers without an id_token"})
            raise IssuerUnavailable from error

    async def _checked(self, token: str) -> dict[str, Json]:
        oidc = self._issuer.oidc
        try:
            return checked(token, oidc, (oidc.client_id,), self._issuer.key, time_range(self._clock))
        except SigningKeyUnknown:
            await self._issuer.look_for_key()
        try:
            return checked(token, oidc, (oidc.client_id,), self._issuer.key, time_range(self._clock))
        except SigningKeyUnknown as error:
            raise refused() from error


def _same(given: str, secret: str) -> bool:
    """Compares in constant time. ``given`` may be any text."""
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), secret.encode())


def _challenge(verifier: str) -> str:
    """RFC 7636, section 4.2."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
