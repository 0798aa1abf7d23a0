"""Who is behind a request: the address that it came from, past the proxies that are trusted to say so.

A proxy writes the address of its own caller at the end of ``X-Forwarded-For``, how that caller came in
``X-Forwarded-Proto``, and the name that he asked for in ``X-Forwarded-Host``. Anybody else may write there too, so all
are believed from trusted addresses only (``EXPEDITER_TRUSTED_PROXIES``), and of the list the last address that is not
such a proxy itself.
"""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import ip_address

from expediter.api.request import Headers
from expediter.embedded.setting_values import Network
from expediter.embedded.web.connections import subscriber


class Proxies:
    """The proxies in front of the server."""

    def __init__(self, trusted: Sequence[Network]) -> None:
        self._trusted = tuple(trusted)
        self._are_trusted = lru_cache(maxsize=1024)(self._is_in_a_network)

    def trusts(self, address: str) -> bool:
        """Whether this address is a proxy's that is believed."""
        return bool(self._trusted) and self._are_trusted(address)

    def caller(self, peer: str, headers: Headers) -> str:
        """The address that a request came from: an IPv4 address, or the /64 network of an IPv6 address.

        ``peer``: the other end of the connection. Empty where there is none.
        """
        if "x-forwarded-for" in headers and self.trusts(peer):
            for address in reversed(headers["x-forwarded-for"].split(",")):
                peer = address.strip() or peer
                if not self.trusts(peer):
                    break
        return subscriber(peer)

    def came_by_https(self, peer: str, headers: Headers) -> bool:
        """Whether the proxy in front says that its caller speaks TLS with it."""
        said = headers.get("x-forwarded-proto", "").rpartition(",")[2].strip().lower()
        return said == "https" and self.trusts(peer)

    def host(self, peer: str, headers: Headers) -> str:
        """The name and port under which the caller knows the server, such as ``orders.example``."""
        said = headers.get("x-forwarded-host", "").rpartition(",")[2].strip()
        return said if said and self.trusts(peer) else headers.get("host", "")

    def _is_in_a_network(self, address: str) -> bool:
        try:
            found = ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in self._trusted)
