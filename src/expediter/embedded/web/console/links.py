"""The links that customers get. Who has the address sees that order, and nothing else.

A link names the order, until when it opens, and its generation: when an operator revokes the links of an order, its
generation rises, and those of an earlier one open nothing any more. One secret in the data folder signs them (HS256,
https://www.rfc-editor.org/rfc/rfc7519). It is made at the first start and readable by its owner only; without it, links
end.
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


class Link(NamedTuple):
    """What a link opens."""

    order_id: str
    generation: int


class _Claims(msgspec.Struct, frozen=True):
    sub: str
    gen: int
    exp: int


class Links:
    """``days``: how long a link opens its order."""

    def __init__(self, secret: bytes, days: int) -> None:
        self._secret = secret
        self._days = days

    def link(self, order_id: str, generation: int, now: int) -> str:
        """The customer's page of the order; ``now`` in milliseconds since 1970 UTC."""
        claims = {"aud": _ORDER, "sub": order_id, "gen": generation, "exp": now // 1000 + self._days * _DAY}
        return "/o/" + jwt.encode(claims, self._secret, algorithm="HS256")

    def opened(self, token: str, now: int) -> Link | None:
        """What a link opens at ``now``; None when we did not make it, or its time is over."""
        try:
            # Not by the library's clock: ours never jumps.
            given = jwt.decode(
                token, self._secret, algorithms=["HS256"], audience=_ORDER, options={"verify_exp": False}
            )
            claims = msgspec.convert(given, _Claims)
        except (jwt.InvalidTokenError, msgspec.ValidationError):
            return None
        return Link(claims.sub, claims.gen) if now // 1000 < claims.exp else None


def links_in(folder: Path, days: int) -> Links:
    """The links of this data folder; the secret is made when there is none.

    It gets its name once it is whole: on a full disk an empty file would stay, and with an empty secret anybody signs.
    Raises DataRefused when it cannot be written or read, and when others could have read or written it.
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
        return Links(path.read_bytes(), days)
    except OSError as error:
        raise unwritable(folder, error) from error


def _make(path: Path) -> None:
    fresh = path.with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY), "wb") as file:
        file.write(os.urandom(LENGTH // 2).hex().encode())
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
