"""The OpenID Connect issuer: its endpoints, and the keys that it signs with.

https://openid.net/specs/openid-connect-discovery-1_0.html, RFC 7517. What is known is used on while the issuer cannot
be reached.
"""

import asyncio
import logging
from urllib.parse import urlsplit

import jwt
import msgspec

from expediter.api.errors import IssuerUnavailable, TooManyRequests
from expediter.app.gateways import HttpRequest, NoAnswer
from expediter.asl.protocol import Json
from expediter.embedded.clock import Clock
from expediter.embedded.engine.http_client import HttpClient, Limits
from expediter.embedded.setting_values import LOOPBACK
from expediter.embedded.settings import Oidc
from expediter.embedded.web.access.tokens import ALGORITHMS, refused
from expediter.embedded.web.shares import Rate

#: Keys that are kept at most. An issuer has two or three.
MOST_KEYS = 50
#: Requests for keys because of tokens with unknown ones: so many at once, then so many a second.
ASKED, ASKED_EACH_SECOND = 5, 0.1
#: Milliseconds after which the keys are read again, because the issuer may have withdrawn one.
FRESH = 600_000
#: Seconds to wait for an answer of the issuer.
_LIMITS = Limits(connect=2.0, answer=5.0)

_log = logging.getLogger("expediter.issuer")


class SigningKeyUnknown(Exception):
    """No key with this id is known yet. The issuer may have it."""


class Unusable(Exception):
    """The issuer's answer cannot be used. The text is a fixed sentence, so it may be logged."""


class Discovery(msgspec.Struct, frozen=True):
    """The issuer's endpoints."""

    issuer: str
    jwks_uri: str
    authorization_endpoint: str = ""
    token_endpoint: str = ""


class _KeySet(msgspec.Struct, frozen=True):
    keys: list[dict[str, Json]]


class Issuer:
    """Use it on the event loop's thread."""

    def __init__(self, oidc: Oidc, clock: Clock) -> None:
        self.oidc = oidc
        self._clock = clock
        self._discovery: Discovery | None = None
        self._keys: dict[str, jwt.PyJWK] = {}
        #: Counts how often the keys changed. Tokens that were checked with earlier keys have to be checked again.
        self.generation = 0
        self._read_at = 0
        self._failed = False
        self._rate = Rate("issuer", ASKED, ASKED_EACH_SECOND, lambda: clock.now() / 1000)
        self._reading: asyncio.Task[None] | None = None

    def key(self, key_id: str) -> jwt.PyJWK:
        """The key with this id; for a token without an id, the only key. Raises SigningKeyUnknown, Unauthorized."""
        self.refresh()
        if found := self._keys.get(key_id):
            return found
        if key_id or not self._keys:
            raise SigningKeyUnknown
        if len(self._keys) > 1:
            raise refused()
        return next(iter(self._keys.values()))

    def refresh(self) -> None:
        """Begins to read the keys again when they are ten minutes old. The old ones are used meanwhile."""
        if self._keys and self._clock.now() - self._read_at > FRESH:
            self._read()

    async def look_for_key(self) -> None:
        """Reads the issuer's keys because one is unknown. Raises IssuerUnavailable."""
        if self._reading is None:
            try:
                self._rate.count("")
            except TooManyRequests as error:
                if self._failed:
                    raise IssuerUnavailable from error
                return  # the keys were read a moment ago, and this one is not among them
        await asyncio.shield(self._read())
        if self._failed:
            raise IssuerUnavailable

    async def discover(self) -> Discovery:
        """The endpoints, from the issuer. Raises IssuerUnavailable."""
        if self._discovery is None:
            await self.look_for_key()
        if self._discovery is None:
            raise IssuerUnavailable
        return self._discovery

    async def post_form(self, url: str, body: bytes) -> tuple[int, bytes]:
        """The status and body of the issuer's answer. Raises IssuerUnavailable."""
        form = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        try:
            return await _asked(HttpRequest("POST", url, form, body))
        except (NoAnswer, Unusable) as error:
            _log.warning("the issuer could not be asked for a token", exc_info=error, extra={"reason": reason(error)})
            raise IssuerUnavailable from error

    def _read(self) -> asyncio.Task[None]:
        """Reads the keys. Callers at the same time share one request."""
        if self._reading is None:
            self._read_at = self._clock.now()
            self._reading = asyncio.create_task(self._read_keys(), name="issuer")
        return self._reading

    async def _read_keys(self) -> None:
        try:
            discovery = msgspec.json.decode(
                await _document(f"{self.oidc.issuer.rstrip('/')}/.well-known/openid-configuration"), type=Discovery
            )
            if discovery.issuer != self.oidc.issuer:
                raise Unusable(
                    "its name differs from EXPEDITER_OIDC_ISSUER: both have to be equal letter by letter, "
                    "a slash at the end too"
                )
            found = keys_in(await _document(discovery.jwks_uri))
            self._discovery, self._failed = discovery, False
        except (NoAnswer, Unusable, msgspec.DecodeError, ValueError) as error:
            self._failed = True
            _log.warning("the issuer could not be asked for its keys", exc_info=error, extra={"reason": reason(error)})
            return
        finally:
            self._reading = None
        if found.keys() != self._keys.keys() or any(found[one].key != self._keys[one].key for one in found):
            self.generation += 1
        self._keys = found


def reason(error: Exception) -> str:
    """Why the issuer could not be asked, in a fixed sentence. The text of the error itself might quote a secret."""
    if isinstance(error, Unusable):
        return str(error)
    if isinstance(error, NoAnswer):
        return "it cannot be reached, or does not answer in time"
    return "its answer does not have the form of OpenID Connect Discovery or of a JSON Web Key Set"


def keys_in(document: bytes) -> dict[str, jwt.PyJWK]:
    """The signing keys of a key set, by their ids. Other keys are left out. Raises msgspec.DecodeError, Unusable."""
    found: dict[str, jwt.PyJWK] = {}
    for given in msgspec.json.decode(document, type=_KeySet).keys[:MOST_KEYS]:
        if given.get("use", "sig") != "sig":
            continue
        try:
            key = jwt.PyJWK(given)
        except jwt.PyJWTError:
            continue  # a type of key that the library does not support
        if key.algorithm_name in ALGORITHMS:
            found[str(given.get("kid", ""))] = key
    if not found:
        raise Unusable("its key set holds no key that signs")
    return found


async def _document(url: str) -> bytes:
    """Raises NoAnswer, Unusable."""
    status, body = await _asked(HttpRequest("GET", url, {"Accept": "application/json"}, b""))
    if status != 200:
        raise Unusable(f"it answered with status {status}")
    return body


async def _asked(request: HttpRequest) -> tuple[int, bytes]:
    """Raises NoAnswer, Unusable."""
    if not is_safe(request.path):
        raise Unusable("it names an address that is not https")
    client = HttpClient("", _LIMITS)
    try:
        answer = await client.send(request)
    finally:
        await client.aclose()
    return answer.status, answer.body


def is_safe(url: str) -> bool:
    """Whether nobody on the way can read or change the answer: https, or this machine."""
    parts = urlsplit(url)
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK))
