"""The links that customers get. A link shows one order and nothing else.

A link names the order, when it expires, and its generation. When an operator revokes the links of an order, its
generation rises, and links of earlier generations are refused. One secret in the data folder signs them (HS256,
https://www.rfc-editor.org/rfc/rfc7519). It is made at the first start, and only its owner can read it. Without that
secret the links are not valid any more.
"""

import os
from pathlib import Path
from typing import NamedTuple

import jwt
import msgspec

from expediter.embedded.sqlite.database import DataRefused, unwritable
from expediter.embedded.sqlite.files import OWNER_ONLY

#: Characters of the secret.
LENGTH = 64
_ORDER, _DAY = "order", 86_400


class CustomerLink(NamedTuple):
    """What a link names."""

    order_id: str
    generation: int


class _Claims(msgspec.Struct, frozen=True):
    sub: str
    gen: int
    exp: int


class CustomerLinks:
    """``days``: how long a link is valid."""

    def __init__(self, secret: bytes, days: int) -> None:
        self._secret = secret
        self._days = days

    def link(self, order_id: str, generation: int, now: int) -> str:
        """The address of the customer's page of the order. ``now``: milliseconds since 1970 UTC."""
        claims = {"aud": _ORDER, "sub": order_id, "gen": generation, "exp": now // 1000 + self._days * _DAY}
        return "/o/" + jwt.encode(claims, self._secret, algorithm="HS256")

    def opened(self, token: str, now: int) -> CustomerLink | None:
        """What a link names; None when this server did not make it, or it has expired."""
        try:
            # Time is not checked by the library's clock: the server's own clock never jumps.
            given = jwt.decode(
                token, self._secret, algorithms=["HS256"], audience=_ORDER, options={"verify_exp": False}
            )
            claims = msgspec.convert(given, _Claims)
        except (jwt.InvalidTokenError, msgspec.ValidationError):
            return None
        return CustomerLink(claims.sub, claims.gen) if now // 1000 < claims.exp else None


def links_in(folder: Path, days: int) -> CustomerLinks:
    """The links of this data folder. Makes the secret when there is none.

    The file gets its name once it is whole. Otherwise a full disk could leave an empty secret, with which anybody could
    sign. Raises DataRefused when the file cannot be written or read, and when other users could read or write it.
    """
    path = folder / "secret"
    try:
        if not path.exists() or path.stat().st_size < LENGTH:
            _make(path)
        if path.stat().st_mode & 0o077:
            raise DataRefused(
                f"{path} signs the links of customers, and others may read or write it. Remove it and start again: a "
                "new one is made, and the links that customers have end."
            )
        return CustomerLinks(path.read_bytes(), days)
    except OSError as error:
        raise unwritable(folder, error) from error


def _make(path: Path) -> None:
    fresh = path.with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY), "wb") as file:
        file.write(os.urandom(LENGTH // 2).hex().encode())
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
