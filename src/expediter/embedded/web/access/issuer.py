"""The OpenID Connect issuer: where it is asked for what, and the keys that it signs with.

https://openid.net/specs/openid-connect-discovery-1_0.html, RFC 7517. What is known stays known while it is away.
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

#: Keys that are kept; an issuer has two or three.
MOST_KEYS = 50
#: Times that keys may be asked for at once because of tokens with unknown ones, and how often a second from then on.
ASKED, ASKED_EACH_SECOND = 5, 0.1
#: Milliseconds after which keys are asked for again, so that one that the issuer gave up does not stay.
FRESH = 600_000
#: Seconds for one answer of the issuer.
_LIMITS = Limits(connect=2.0, answer=5.0)

_log = logging.getLogger("expediter.issuer")


class SigningKeyUnknown(Exception):
    """No key of this id is known: ask the issuer."""


class Unusable(Exception):
    """What the issuer answers is of no use. Its text is a fixed sentence of ours, which the log may have."""


class Discovery(msgspec.Struct, frozen=True):
    """Where the issuer answers what."""

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
        #: How often other keys have come: what was checked with earlier ones has to be checked again.
        self.generation = 0
        self._read_at = 0
        self._failed = False
        self._rate = Rate("issuer", ASKED, ASKED_EACH_SECOND, lambda: clock.now() / 1000)
        self._reading: asyncio.Task[None] | None = None

    def key(self, key_id: str) -> jwt.PyJWK:
        """The key of this id; of a token without one, the only key. Raises SigningKeyUnknown, Unauthorized."""
        self.refresh()
        if found := self._keys.get(key_id):
            return found
        if key_id or not self._keys:
            raise SigningKeyUnknown
        if len(self._keys) > 1:
            raise refused()
        return next(iter(self._keys.values()))

    def refresh(self) -> None:
        """Has keys that were read ten minutes ago read again; until then they go on."""
        if self._keys and self._clock.now() - self._read_at > FRESH:
            self._read()

    async def look_for_key(self) -> None:
        """Asks the issuer for its keys, because one is unknown. Raises IssuerUnavailable when it cannot be asked."""
        if self._reading is None:
            try:
                self._rate.count("")
            except TooManyRequests as error:
                if self._failed:
                    raise IssuerUnavailable from error
                return  # it was asked a moment ago, and does not know this key either
        await asyncio.shield(self._read())
        if self._failed:
            raise IssuerUnavailable

    async def discover(self) -> Discovery:
        """Where the issuer answers what. Raises IssuerUnavailable."""
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
        """Reads the keys, once at a time."""
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
                    "it goes by another name than EXPEDITER_OIDC_ISSUER: both have to be equal letter by letter, "
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
    """Why the issuer could not be asked, in a sentence of ours: the texts of other errors may quote anything."""
    if isinstance(error, Unusable):
        return str(error)
    if isinstance(error, NoAnswer):
        return "it cannot be reached, or does not answer in time"
    return "its answer has another form than OpenID Connect Discovery and JSON Web Key Sets say"


def keys_in(document: bytes) -> dict[str, jwt.PyJWK]:
    """The signing keys of a key set, by their ids; others are left out. Raises msgspec.DecodeError, Unusable."""
    found: dict[str, jwt.PyJWK] = {}
    for given in msgspec.json.decode(document, type=_KeySet).keys[:MOST_KEYS]:
        if given.get("use", "sig") != "sig":
            continue
        try:
            key = jwt.PyJWK(given)
        except jwt.PyJWTError:
            continue  # of a kind that the library does not know
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
    """Whether nobody on the way reads along or puts keys of his own in: https, or this machine."""
    parts = urlsplit(url)
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK))
