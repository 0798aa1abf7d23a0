"""An OpenID Connect issuer on loopback: discovery, its keys, and tokens of any kind, right and wrong ones."""

import json
import threading
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

AUDIENCE = "expediter"
#: Seconds that a token lasts.
LASTS = 600


@cache
def rsa_key(number: int = 0) -> rsa.RSAPrivateKey:
    """The key of this number: making one takes a moment, so tests share them."""
    del number
    return rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


@cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


class Issuer:
    """Its key set is ``keys``: by kid. ``now`` (seconds since 1970 UTC) is when tokens are made."""

    def __init__(self, now: float) -> None:
        self.now = now
        self.keys: dict[str, Any] = {"first": rsa_key()}
        self.asked: list[str] = []
        self._server: ThreadingHTTPServer | None = None
        self._port = 0
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def settings(self) -> dict[str, str]:
        """The EXPEDITER_* settings of a server that takes its tokens, without the prefix."""
        return {"OIDC_ISSUER": self.url, "OIDC_AUDIENCE": AUDIENCE}

    def token(self, sub: str = "ann", *, kid: str = "first", key: Any = None, alg: str = "RS256", **claims: Any) -> str:
        """A token for ``sub``; a claim that is None is left out."""
        given = {"iss": self.url, "aud": AUDIENCE, "sub": sub, "exp": int(self.now) + LASTS, **claims}
        held = {name: value for name, value in given.items() if value is not None}
        return jwt.encode(held, key or self.keys.get(kid) or rsa_key(), alg, {"kid": kid})

    def unsigned(self, sub: str = "ann", **claims: Any) -> str:
        """A token that says ``alg: none``."""
        given = {"iss": self.url, "aud": AUDIENCE, "sub": sub, "exp": int(self.now) + LASTS, **claims}
        return f"{_part({'alg': 'none', 'typ': 'JWT'})}.{_part(given)}."

    def start(self) -> None:
        """Answers (again, at the same address)."""
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked.append(self.path)
                body = json.dumps(issuer.answer(self.path)).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def stop(self) -> None:
        """Answers nothing any more: connections are refused."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def answer(self, path: str) -> Any:
        if path == "/.well-known/openid-configuration":
            return {
                "issuer": self.url,
                "jwks_uri": f"{self.url}/keys",
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
            }
        return {"keys": [jwk(key, kid) for kid, key in self.keys.items()]}


@contextmanager
def issuing(now: float) -> Iterator[Issuer]:
    issuer = Issuer(now)
    try:
        yield issuer
    finally:
        issuer.stop()


def jwk(key: Any, kid: str) -> dict[str, Any]:
    """The public part of a key as a JSON Web Key."""
    if isinstance(key, dict):
        return {**key, "kid": kid}
    is_rsa = isinstance(key, rsa.RSAPrivateKey)
    kind = jwt.algorithms.RSAAlgorithm if is_rsa else jwt.algorithms.ECAlgorithm
    public: dict[str, Any] = kind.to_jwk(key.public_key(), as_dict=True)
    return {**public, "kid": kid, "use": "sig", "alg": "RS256" if is_rsa else "ES256"}


def _part(value: object) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
