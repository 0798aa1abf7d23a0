"""The client's address of a request, also behind proxies that are trusted.

A proxy appends the address of its client to ``X-Forwarded-For``. It says in ``X-Forwarded-Proto`` whether the client
used TLS, and in ``X-Forwarded-Host`` which host the client asked for. Anybody can send these headers, so they count
only from trusted addresses (``EXPEDITER_TRUSTED_PROXIES``). The client is the last address in the list that is not a
trusted proxy.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import ip_address

from expediter.api.request import Headers
from expediter.embedded.setting_values import Network
from expediter.embedded.web.connections import subscriber

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


def _without_port(address: str) -> str:
    """Each connection of a caller has another port, so the port does not tell callers apart."""
    found = _WITH_PORT.fullmatch(address)
    return found[1] or found[2] if found else address
