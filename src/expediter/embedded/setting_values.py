"""Parses the values of settings. Each function takes the text and returns the value.

Each raises ValueError and says what to give.
"""

from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TypeAlias
from urllib.parse import urlsplit

from expediter.app import addresses as mail
from expediter.domain.currencies import CURRENCIES, PUBLISHED
from expediter.embedded.mail.smtp import Mailer

Network: TypeAlias = IPv4Network | IPv6Network
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def whole(least: int, most: int) -> Callable[[str], int]:
    """A whole number in these bounds, both included."""

    def convert(text: str) -> int:
        if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
            raise ValueError(f"give a whole number from {least} to {most}")
        return int(text)

    return convert


def stripe_key(text: str) -> str:
    """A secret or restricted key of Stripe. A publishable one cannot charge."""
    if text and not text.startswith(("sk_", "rk_")):
        raise ValueError("give a secret key (sk_…) or a restricted key (rk_…) of your Stripe account")
    return bearer(text)


def bearer(text: str) -> str:
    """A bearer token, as it goes into a header."""
    if not (text.isascii() and text.isprintable() and " " not in text):
        raise ValueError("give the token as the provider gave it: letters, digits and signs, without spaces")
    return text


def issuer(text: str) -> str:
    """An OpenID Connect issuer's address; plain http only on this machine."""
    parts = urlsplit(text)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    if text and not (is_safe and parts.hostname and not parts.query and not parts.fragment):
        raise ValueError("give the issuer's address as its tokens have it, which begins with https://")
    return text


def words(text: str) -> tuple[str, ...]:
    """Texts with commas between them."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def stage(text: str) -> str:
    """The environment: production, or empty."""
    if text not in ("", "production"):
        raise ValueError("give production, or leave it unset")
    return text


def days(text: str) -> int | None:
    """Days, or None where the text is empty."""
    return whole(1, 36_500)(text) if text else None


def networks(text: str) -> tuple[Network, ...]:
    """Networks, and addresses as networks of one."""
    try:
        return tuple(map(ip_network, words(text)))
    except ValueError as error:
        form = "addresses or networks such as 127.0.0.1 or 10.0.0.0/8, with commas between them"
        raise ValueError(f"give {form} ({error})") from error


def currency(text: str) -> str:
    """A currency's code."""
    if text not in CURRENCIES:
        raise ValueError(f"give a currency of ISO 4217's list of {PUBLISHED}, such as USD or EUR")
    return text


def addresses(text: str) -> tuple[str, ...]:
    """Mail addresses with commas between them, in the form for a mail server."""
    given = words(text)
    for address in given:
        if why := mail.fault(address):
            raise ValueError(f"give e-mail addresses, with commas between them ({address!r}: {why})")
    return tuple(map(mail.for_server, given))


def smtp_url(text: str) -> str:
    """The URL of the mail server; empty: no mail is sent."""
    try:
        Mailer(text or "smtp://localhost")
    except ValueError as error:
        form = "smtp://host:port or smtps://user:password@host:port, with ?from=address"
        raise ValueError(f"give {form} ({error})") from error
    return text
