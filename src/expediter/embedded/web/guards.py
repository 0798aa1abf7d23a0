"""Refuses requests that another web page could make a browser send: by their headers Host and Origin.

Rules:
 - Host must be a name of this machine's loopback or the one that the server is bound to. An attacker can make a name of
   his resolve to 127.0.0.1 (DNS rebinding); that name is refused. A server that is bound to all addresses cannot know
   its names. It does not start without a token or an issuer, and an attacker's page has no token;
 - Origin, if a browser sends it, must be the server itself: the host that a trusted proxy names, or else Host. So no
   other page may place orders or open a websocket.
"""

from functools import lru_cache

from expediter.api.errors import HostUnknown, OriginRefused
from expediter.api.request import Headers
from expediter.embedded.setting_values import LOOPBACK
from expediter.embedded.settings import ServerSettings
from expediter.embedded.web.callers import Proxies

EVERYWHERE = frozenset({"0.0.0.0", "::", ""})  # noqa: S104  # compared with, not bound to


class Guards:
    def __init__(self, settings: ServerSettings, proxies: Proxies) -> None:
        self._proxies = proxies
        self._names = None if settings.host in EVERYWHERE else LOOPBACK | {settings.host.lower()}

    def check(self, peer: str, headers: Headers) -> None:
        """``peer``: the other end of the connection. Raises HostUnknown, OriginRefused."""
        host = headers.get("host", "")
        if self._names is not None and host_name(host) not in self._names:
            raise HostUnknown
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2].lower() != self._proxies.host(peer, headers).lower():
            raise OriginRefused


@lru_cache(maxsize=64)
def host_name(host: str) -> str:
    """The name in a Host header, without its port: ``localhost:8080`` → ``localhost``, ``[::1]:80`` → ``::1``."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()
