"""The two gateways, payment provider and restaurant, as an operator sets them."""

import math
from enum import StrEnum
from typing import TypeAlias
from urllib.parse import urlsplit

import msgspec

_ALLOWED = "give simulated, simulated:decline=0.2 (a share from 0 to 1) or http(s)://host:port/path"


class GatewayName(StrEnum):
    """The gateways, by what stands behind them."""

    PAYMENTS = "payments"
    RESTAURANT = "restaurant"


class Simulated(msgspec.Struct, frozen=True):
    """A gateway that answers at once and declines this share of all orders, the same ones every time."""

    decline: float = 0.0


class Remote(msgspec.Struct, frozen=True):
    """A gateway to the server behind an http or https URL (without a slash at its end)."""

    url: str


class Stripe(msgspec.Struct, frozen=True):
    """The payments gateway to Stripe, at ``url`` (without a slash at its end)."""

    url: str = "https://api.stripe.com"


Gateway: TypeAlias = Simulated | Remote | Stripe


def parse_payments(text: str, stripe: Stripe) -> Gateway:
    """The payments gateway that ``text`` describes. Raises ValueError, which says what is allowed."""
    if text == "stripe":
        return stripe
    try:
        return parse_gateway(text)
    except ValueError as error:
        raise ValueError(f"give stripe, or {str(error).removeprefix('give ')}") from error


def parse_stripe(text: str) -> Stripe:
    """Stripe at another address. Raises ValueError: our key goes there, so it is https, or on this machine."""
    try:
        url = _url(text)
    except ValueError as error:
        raise ValueError("give Stripe's address as https://host") from error
    parts = urlsplit(url)
    at_home = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1", "localhost")
    if parts.scheme != "https" and not at_home:
        raise ValueError("give Stripe's address as https://host")
    return Stripe(url)


def parse_gateway(text: str) -> Simulated | Remote:
    """The gateway that ``text`` describes. Raises ValueError, which says what is allowed."""
    kind, _, rest = text.partition(":")
    if kind == "simulated":
        return Simulated(_share(rest) if rest or text.endswith(":") else 0.0)
    if kind in ("http", "https"):
        return Remote(_url(text))
    raise ValueError(_ALLOWED)


def _share(setting: str) -> float:
    name, _, value = setting.partition("=")
    try:
        share = float(value)
    except ValueError as error:
        raise ValueError(_ALLOWED) from error
    if name != "decline" or not math.isfinite(share) or not 0 <= share <= 1:
        raise ValueError(_ALLOWED)
    return share


def _url(text: str) -> str:
    """Only what can stand before a path. A user in the URL is refused, because an URL is printed and logged."""
    try:
        parts = urlsplit(text)
        complete = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError as error:
        raise ValueError(_ALLOWED) from error
    plain = text.isascii() and text.isprintable() and " " not in text
    if not complete or not plain or parts.username is not None or "?" in text or "#" in text:
        raise ValueError(f"{_ALLOWED}, without user, query and fragment")
    return text.rstrip("/")
