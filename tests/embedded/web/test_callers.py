"""Whose a request is: the proxies in front are believed, and nobody else."""

from ipaddress import ip_network

import pytest

from expediter.embedded.web.connections import subscriber
from expediter.embedded.web.guards import Proxies

PROXY, INNER = "127.0.0.1", "10.1.2.3"
TRUSTED = Proxies((ip_network(PROXY), ip_network("10.0.0.0/8")))


@pytest.mark.parametrize(
    ("said", "caller"),
    [
        ("", PROXY),
        ("203.0.113.9", "203.0.113.9"),
        ("203.0.113.9, 10.1.2.3", "203.0.113.9"),
        ("6.6.6.6, 203.0.113.9", "203.0.113.9"),  # what the caller wrote himself stands in front
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("203.0.113.9:4711", "203.0.113.9"),
        ("203.0.113.9:4711, 10.1.2.3:80", "203.0.113.9"),
        ("[2001:db8:1:2:3::4]:4711", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2:3::4]", "2001:db8:1:2::/64"),
        ("not an address", "not an address"),
    ],
)
def test_a_trusted_proxy_says_who_its_caller_is(said: str, caller: str) -> None:
    assert TRUSTED.caller(PROXY, {"x-forwarded-for": said}) == caller


@pytest.mark.parametrize("peer", ["203.0.113.1", "127.0.0.2", "::1", ""])
def test_headers_of_untrusted_clients_are_ignored(peer: str) -> None:
    headers = {"x-forwarded-for": "6.6.6.6", "x-forwarded-proto": "https"}

    assert TRUSTED.caller(peer, headers) == subscriber(peer)
    assert not TRUSTED.came_by_https(peer, headers)
    assert not Proxies(()).came_by_https(PROXY, headers)
    assert Proxies(()).caller(PROXY, headers) == PROXY


@pytest.mark.parametrize(
    ("peer", "said", "host"),
    [
        (PROXY, "orders.example", "orders.example"),
        (PROXY, "evil.example, orders.example:444", "orders.example:444"),
        (PROXY, "", "localhost"),
        ("203.0.113.1", "evil.example", "localhost"),
    ],
)
def test_a_trusted_proxy_says_by_which_name_the_server_was_asked(peer: str, said: str, host: str) -> None:
    assert TRUSTED.host(peer, {"host": "localhost", "x-forwarded-host": said}) == host


@pytest.mark.parametrize(
    ("said", "https"), [("https", True), ("HTTPS", True), ("http", False), ("https, http", False), ("", False)]
)
def test_https_is_what_the_nearest_proxy_says_of_its_caller(said: str, https: bool) -> None:
    assert TRUSTED.came_by_https(PROXY, {"x-forwarded-proto": said}) is https


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
    ],
)
def test_an_ipv6_address_belongs_to_its_network_of_64_bits(one: str, other: str, same: bool) -> None:
    assert (subscriber(one) == subscriber(other)) is same
