"""Where a request comes from: the client's address behind trusted proxies, and the web page in a browser.

Proxies: a proxy appends the address of its client to ``X-Forwarded-For``. It says in ``X-Forwarded-Proto`` whether the
client used TLS, and in ``X-Forwarded-Host`` which host the client asked for. Anybody can send these headers, so they
count only from trusted addresses (``EXPEDITER_TRUSTED_PROXIES``). The client is the last address in the list that is
not a trusted proxy.

Guards: requests that another web page could make a browser send are refused, by their headers Host and Origin:
 - Host must be a name of this machine's loopback or the one that the server is bound to. An attacker can make a name of
   his resolve to 127.0.0.1 (DNS rebinding); that name is refused. A server that is bound to all addresses cannot know
   its names. It does not start without a token or an issuer, and an attacker's page has no token;
 - Origin, if a browser sends it, must be the server itself: the host that a trusted proxy names, or else Host. So no
   other page may place orders or open a websocket.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import ip_address

from expediter.api.errors import HostUnknown, OriginRefused
from expediter.api.request import Headers
from expediter.embedded.setting_values import LOOPBACK, Network
from expediter.embedded.settings import ServerSettings
from expediter.embedded.web.connections import subscriber

EVERYWHERE = frozenset({"0.0.0.0", "::", ""})  # noqa: S104  # compared with, not bound to
#: Some proxies write the port too: ``192.0.2.1:4711``, ``[2001:db8::1]:4711``, ``[2001:db8::1]``.
_WITH_PORT = re.compile(r"([0-9.]+):[0-9]+|\[([0-9a-fA-F:.]+)\](?::[0-9]+)?")


class Proxies:
    """The proxies in front of the server."""

    def __init__(self, trusted: Sequence[Network]) -> None:
        self._trusted = tuple(trusted)
        self._are_trusted = lru_cache(maxsize=1024)(self._is_in_a_network)

    def trusts(self, address: str) -> bool:
        """Whether this is the address of a trusted proxy."""
        return bool(self._trusted) and self._are_trusted(address)

    def caller(self, peer: str, headers: Headers) -> str:
        """The client of a request: its IPv4 address, or the /64 network of its IPv6 address.

        ``peer``: the address at the other end of the connection. Empty where there is none.
        """
        if "x-forwarded-for" in headers and self.trusts(peer):
            for address in reversed(headers["x-forwarded-for"].split(",")):
                peer = _without_port(address.strip()) or peer
                if not self.trusts(peer):
                    break
        return subscriber(peer)

    def came_by_https(self, peer: str, headers: Headers) -> bool:
        """Whether a trusted proxy says that the client speaks TLS with it."""
        if "x-forwarded-proto" not in headers:
            return False
        said = headers["x-forwarded-proto"].rpartition(",")[2].strip().lower()
        return said == "https" and self.trusts(peer)

    def host(self, peer: str, headers: Headers) -> str:
        """The host and port that the client asked for, such as ``orders.example``."""
        said = headers.get("x-forwarded-host", "").rpartition(",")[2].strip()
        return said if said and self.trusts(peer) else headers.get("host", "")

    def _is_in_a_network(self, address: str) -> bool:
        try:
            found = ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in self._trusted)


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


def _without_port(address: str) -> str:
    """Each connection of a caller has another port, so the port does not tell callers apart."""
    found = _WITH_PORT.fullmatch(address)
    return found[1] or found[2] if found else address
