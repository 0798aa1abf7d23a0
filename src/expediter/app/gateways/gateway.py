"""Who the outside parties are, as an operator writes it."""

import math
from collections.abc import Mapping
from enum import StrEnum
from typing import TypeAlias
from urllib.parse import urlsplit

import msgspec

from expediter.app.tasks.calls import Call, Charge, HandOver, Refund, Withdraw

_ALLOWED = "give simulated, simulated:decline=0.2 (a share from 0 to 1) or http(s)://host:port/path"


class Role(StrEnum):
    """What a party is to us."""

    PAYMENTS = "payments"
    RESTAURANT = "restaurant"


class Simulated(msgspec.Struct, frozen=True):
    """A party that answers at once and declines this share of all orders, the same ones every time."""

    decline: float = 0.0


class Remote(msgspec.Struct, frozen=True):
    """A party behind an http or https URL (without a slash at its end)."""

    url: str


Party: TypeAlias = Simulated | Remote


_ROLES: Mapping[type[Call], Role] = {
    Charge: Role.PAYMENTS,
    Refund: Role.PAYMENTS,
    HandOver: Role.RESTAURANT,
    Withdraw: Role.RESTAURANT,
}


def role(call: Call) -> Role:
    """Which of the two parties a call is for."""
    return _ROLES[type(call)]


def parse_party(text: str) -> Party:
    """The party that ``text`` describes. Raises ValueError, which says what is allowed."""
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
