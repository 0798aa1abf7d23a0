"""From what a request shows to its caller: the plain token, a program's key, or a token of the issuer.

A token of the issuer is checked once and then known until its end, so that it costs a request next to nothing.
"""

import hashlib
import hmac
import logging
import re
from collections import OrderedDict
from typing import NamedTuple

from expediter.api.access import caller_of
from expediter.api.errors import Unauthorized
from expediter.app.operator.keys import caller_by
from expediter.app.ports import Caller
from expediter.embedded.web.access.issuer import Issuer, SigningKeyUnknown
from expediter.embedded.web.access.tokens import LEEWAY, checked, claims_of, moment, refused
from expediter.embedded.web.backend import Backend

#: What a program's key looks like: this, its id, and a secret: ``exp_ID_SECRET``.
KEY = "exp_"
_KEY_ID = re.compile(rf"{KEY}[0-9a-f]{{8}}(?=_)")
#: Checked tokens that are kept; the one that was shown longest ago goes first.
KEPT = 10_000
#: Milliseconds between two notes of a key's last use.
NOTED = 60_000
#: Who has the plain token may do everything; without a token or an issuer everybody may.
OPERATOR = Caller()
_log = logging.getLogger("expediter.keys")


def key_id_in(authorization: str) -> str:
    """The id that the key shown there (``Bearer KEY``) begins with: how a log names it. Empty: it is no key."""
    found = _KEY_ID.match(authorization.partition(" ")[2].strip())
    return found[0] if found else ""


class _Known(NamedTuple):
    caller: Caller
    #: Until when it is not checked again (ms since 1970 UTC), and with which generation of keys it was.
    ends: int
    generation: int


class Authenticator:
    """Use it on the event loop's thread."""

    def __init__(self, home: Backend) -> None:
        self._home = home
        self._token = home.settings.token.encode() if home.settings.token else None
        self.issuer = Issuer(home.settings.oidc, home.clock) if home.settings.oidc else None
        #: Whether everybody is let in, as an operator.
        self.open = self._token is None and self.issuer is None
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._used: dict[str, int] = {}

    def caller(self, authorization: str) -> Caller:
        """Who shows this (``Bearer TOKEN``). Raises Unauthorized, and SigningKeyUnknown: ask ``look_up``."""
        if self.open:
            return OPERATOR
        scheme, _, token = authorization.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise Unauthorized
        if self._token and hmac.compare_digest(token.encode("utf-8", "surrogateescape"), self._token):
            return OPERATOR
        if token.startswith(KEY):
            return self._by_key(token)
        if self.issuer:
            return self._by_issuer(self.issuer, token)
        raise refused()

    async def look_up(self, authorization: str) -> Caller:
        """As ``caller``, and asks the issuer for a key that is not known. Raises Unauthorized, IssuerUnavailable."""
        try:
            return self.caller(authorization)
        except SigningKeyUnknown:
            if self.issuer:
                await self.issuer.look_for_key()
        try:
            return self.caller(authorization)
        except SigningKeyUnknown as error:
            raise refused() from error

    def seconds_left(self, caller: Caller) -> float | None:
        """How long what the caller showed lets him in; None: until it is taken back."""
        return None if caller.until is None else max(0, caller.until - moment(self._home.clock).earliest) / 1000

    def lets_in(self, authorization: str) -> bool:
        """Whether what let somebody in before does so now: it may be over, or taken back."""
        try:
            return self.seconds_left(self.caller(authorization)) != 0
        except (Unauthorized, SigningKeyUnknown):
            return False

    def _by_key(self, token: str) -> Caller:
        key_id = KEY + token.removeprefix(KEY).partition("_")[0]
        key = self._home.keys.find(key_id)
        given = hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
        now = self._home.clock.now()
        if key is None or not hmac.compare_digest(given, key.hash) or (key.ends_at is not None and now >= key.ends_at):
            raise refused()
        if now - self._used.get(key_id, 0) >= NOTED:
            self._used[key_id] = now
            _log.info("a program's key was used", extra={"key": key_id})
            self._home.note(lambda services: services.keys.used(key_id, now), "keyUsed")
        return caller_by(key)

    def _by_issuer(self, issuer: Issuer, token: str) -> Caller:
        when = moment(self._home.clock)
        known = self._known.get(token)
        if known and known.generation == issuer.generation and when.earliest < known.ends:
            issuer.refresh()
            self._known.move_to_end(token)
            return known.caller
        self._known.pop(token, None)
        claims = claims_of(checked(token, issuer.oidc, issuer.oidc.audience, issuer.key, when), issuer.oidc)
        caller = caller_of(claims)
        self._known[token] = _Known(caller, (caller.until or 0) + LEEWAY * 1000, issuer.generation)
        if len(self._known) > KEPT:
            self._known.popitem(last=False)
        return caller
