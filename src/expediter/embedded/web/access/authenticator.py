"""Finds the caller of a request by the plain token, a program's key, or a token of the issuer.

A token of the issuer is checked once and remembered until it expires, so later requests with it cost little.
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
from expediter.embedded.web.access.tokens import LEEWAY, checked, claims_of, refused, time_range
from expediter.embedded.web.backend import Backend

#: How a program's key begins. The whole key is ``exp_ID_SECRET``.
KEY = "exp_"
_KEY_ID = re.compile(rf"{KEY}[0-9a-f]{{8}}(?=_)")
#: Checked tokens that are kept at most. The least recently used one is dropped first.
KEPT = 10_000
#: Milliseconds after which a key's last use is written again.
NOTED = 60_000
#: A caller with the plain token may do everything. Without a token and an issuer every caller may.
OPERATOR = Caller()
_log = logging.getLogger("expediter.keys")


def key_id_in(authorization: str) -> str:
    """The id in the key of a header (``Bearer KEY``), by which logs name it. Empty when it is no key."""
    found = _KEY_ID.match(authorization.partition(" ")[2].strip())
    return found[0] if found else ""


class _Known(NamedTuple):
    caller: Caller
    #: When it has to be checked again (ms since 1970 UTC), and the generation of keys that checked it.
    ends: int
    generation: int


class Authenticator:
    """Use it on the event loop's thread."""

    def __init__(self, home: Backend) -> None:
        self._home = home
        self._token = home.settings.token.encode() if home.settings.token else None
        self.issuer = Issuer(home.settings.oidc, home.clock) if home.settings.oidc else None
        #: Whether everybody is an operator, because there is neither a token nor an issuer.
        self.open = self._token is None and self.issuer is None
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._used: dict[str, int] = {}

    def caller(self, authorization: str) -> Caller:
        """The caller with this header (``Bearer TOKEN``). Raises Unauthorized, and SigningKeyUnknown: then use
        ``look_up``.
        """
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
        """As ``caller``, and asks the issuer for an unknown key. Raises Unauthorized, IssuerUnavailable."""
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
        """Until when the caller's credential is valid; None: until it is revoked."""
        return None if caller.until is None else max(0, caller.until - time_range(self._home.clock).earliest) / 1000

    def lets_in(self, authorization: str) -> bool:
        """Whether a credential that was valid before still is. It may have expired or been revoked."""
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
        when = time_range(self._home.clock)
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
