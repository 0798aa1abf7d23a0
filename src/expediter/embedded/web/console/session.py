"""Who sits at the console, what proves that a form is ours, and the signed links that customers get.

One secret in the data folder signs all three (HS256, https://www.rfc-editor.org/rfc/rfc7519). It is made at the first
start and readable by its owner only; without it, sessions and links end.
"""

import hashlib
import hmac
import os
from pathlib import Path
from typing import NamedTuple

import jwt

from expediter.embedded.clock import new_id
from expediter.embedded.sqlite.database import DataRefused, unwritable
from expediter.embedded.sqlite.files import OWNER_ONLY

COOKIE = "expediter_session"
_SESSION, _ORDER = "console", "order"
#: Characters of the secret.
LENGTH = 64
#: Seconds that a session lasts.
LASTS = 30 * 86_400


class Session(NamedTuple):
    """A browser that is let in; ``name`` is who acts."""

    id: str
    name: str


class Keys:
    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    # ── sessions ──────────────────────────────────────────────────────────────────────────────────────────────────

    def begin(self, name: str, now: int) -> tuple[Session, str]:
        """A new session and its cookie; ``now`` in milliseconds since 1970 UTC."""
        session = Session(new_id(), name)
        claims = {"aud": _SESSION, "jti": session.id, "name": name, "exp": now // 1000 + LASTS}
        return session, jwt.encode(claims, self._secret, algorithm="HS256")

    def session(self, cookie: str) -> Session | None:
        """The session that the cookie proves; None: none, or it is over."""
        claims = self._read(cookie, _SESSION)
        return Session(str(claims["jti"]), str(claims["name"])) if claims else None

    # ── forms ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def form_token(self, session: Session) -> str:
        """Goes into every form of this session. Another one each time, so that compression gives nothing away."""
        nonce = os.urandom(12).hex()
        return f"{nonce}.{self._mac(session, nonce)}"

    def is_ours(self, session: Session, token: str) -> bool:
        nonce, _, mac = token.partition(".")
        return hmac.compare_digest(mac.encode("utf-8", "surrogateescape"), self._mac(session, nonce).encode())

    def _mac(self, session: Session, nonce: str) -> str:
        return hmac.new(self._secret, f"form {session.id} {nonce}".encode(), hashlib.sha256).hexdigest()

    # ── links ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def link(self, order_id: str) -> str:
        """The customer's page of the order: who has the address may see it."""
        return "/o/" + jwt.encode({"aud": _ORDER, "sub": order_id}, self._secret, algorithm="HS256")

    def order_id(self, token: str) -> str | None:
        """The order that a link stands for; None when we did not make it."""
        claims = self._read(token, _ORDER)
        return str(claims["sub"]) if claims else None

    def _read(self, token: str, audience: str) -> dict[str, object] | None:
        try:
            claims: dict[str, object] = jwt.decode(token, self._secret, algorithms=["HS256"], audience=audience)
        except jwt.InvalidTokenError:
            return None
        return claims


def keys_in(folder: Path) -> Keys:
    """The keys of this data folder; the secret is made when there is none.

    It gets its name once it is whole: on a full disk an empty file would stay, and an empty secret lets everybody in.
    Raises DataRefused when it cannot be written or read, and when others could have read or written it.
    """
    path = folder / "secret"
    try:
        if not path.exists() or path.stat().st_size < LENGTH:
            _make(path)
        if path.stat().st_mode & 0o077:
            raise DataRefused(
                f"{path} signs sessions and links, and others may read or write it. Remove it and start again: a new "
                "one is made, and the links that customers have end."
            )
        return Keys(path.read_bytes())
    except OSError as error:
        raise unwritable(folder, error) from error


def _make(path: Path) -> None:
    fresh = path.with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY), "wb") as file:
        file.write(os.urandom(LENGTH // 2).hex().encode())
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
