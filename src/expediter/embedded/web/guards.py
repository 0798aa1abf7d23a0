"""Which requests the server takes at all: under its own names, from its own pages, with the token.

Rules:
 - Host must be a name of this machine's loopback or the one the server is bound to: a name that an attacker makes
   resolve to 127.0.0.1 (DNS rebinding) is refused. A server bound to all addresses cannot know its names, and does not
   start without a token, which no page of an attacker has;
 - an Origin (browsers send it) must be the server itself: no other page may place orders or open a websocket;
 - with a token set, everything asks for it but the probes, and /tasks/: a caller with a task's own token (it is in the
   path, unguessable, and good for one answer) need not be an operator.
"""

import hmac
from functools import lru_cache

from expediter.api.errors import HostUnknown, OriginRefused, Unauthorized
from expediter.api.request import Headers
from expediter.embedded.settings import LOOPBACK, ServerSettings

#: What a load balancer asks without a token.
PROBES = frozenset({"/healthz", "/readyz"})
TASKS = "/tasks/"
EVERYWHERE = frozenset({"0.0.0.0", "::", ""})  # noqa: S104  # compared with, not bound to


class Guards:
    def __init__(self, settings: ServerSettings) -> None:
        self._names = None if settings.host in EVERYWHERE else LOOPBACK | {settings.host.lower()}
        self._token = settings.token.encode() if settings.token else None

    def check(self, path: str, headers: Headers) -> None:
        """Raises HostUnknown, OriginRefused, Unauthorized."""
        self.check_place(headers)
        if self._token is not None and path not in PROBES and not path.startswith(TASKS):
            self.check_token(headers.get("authorization", ""))

    def check_place(self, headers: Headers) -> None:
        """Raises HostUnknown, OriginRefused."""
        host = headers.get("host", "")
        if self._names is not None and host_name(host) not in self._names:
            raise HostUnknown
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2].lower() != host.lower():
            raise OriginRefused

    def check_token(self, authorization: str) -> None:
        """Raises Unauthorized unless no token is asked for, or this is it (``Bearer TOKEN``)."""
        if not self.is_operator(authorization):
            raise Unauthorized

    def is_operator(self, authorization: str) -> bool:
        """Whether no token is asked for, or this is it (``Bearer TOKEN``)."""
        if self._token is None:
            return True
        scheme, _, token = authorization.partition(" ")
        given = token.strip().encode("utf-8", "surrogateescape")
        return scheme.lower() == "bearer" and hmac.compare_digest(given, self._token)


@lru_cache(maxsize=64)
def host_name(host: str) -> str:
    """The name in a Host header, without its port: ``localhost:8080`` → ``localhost``, ``[::1]:80`` → ``::1``."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()
