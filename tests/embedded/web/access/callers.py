"""Every kind of caller: who is a stranger, and what the others may do."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import NamedTuple

import httpx
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from expediter.app.access import ALL, CUSTOMER, ROLES, Role, Scope, scopes_in
from tests.support.issuer import Issuer, ec_key, issuing, rsa_key

TOKEN = "the-plain-token-of-this-server"
#: A time that a key ends, and what the clock says when it is over.
HOUR = 3_600_000


class KindOfCaller(NamedTuple):
    """A caller by what it shows; ``scopes`` None: a stranger."""

    name: str
    token: str
    scopes: frozenset[Scope] | None


async def made_key(client: httpx.AsyncClient, scopes: list[str], ends_at: int | None = None) -> tuple[str, str]:
    """A new key with these scopes: its id, and the whole."""
    ends = None if ends_at is None else datetime.fromtimestamp(ends_at / 1000, UTC).isoformat()
    asked = {"name": "shop", "scopes": scopes, "expires_at": ends}
    answer = await client.post("/keys", json=asked, headers={"Authorization": f"Bearer {TOKEN}"})
    made = answer.raise_for_status().json()
    return made["key"]["id"], made["secret"]


def strangers(issuer: Issuer) -> list[KindOfCaller]:
    """Tokens that are wrong in one way each."""
    now = int(issuer.now)
    with issuing(issuer.now) as other:
        elsewhere = other.token("olga", groups=["operators"])
    wrong = {
        "no token": "",
        "a wrong token": "the-plain-token-of-that-server",
        "a made up key": "exp_00000000_made-up",
        "expired": issuer.token("ann", exp=now - 61),
        "not yet": issuer.token("ann", nbf=now + 300),
        "another issuer's": elsewhere,
        "in this issuer's name, with another key": issuer.token("ann", key=rsa_key(1)),
        "with another kind of key": issuer.token("ann", key=ec_key(), alg="ES256"),
        "for another service": issuer.token("ann", aud="another"),
        "for nobody's service": issuer.token("ann", aud=None),
        "for nobody": issuer.token(None),  # type: ignore[arg-type]
        "for ever": issuer.token("ann", exp=None),
        "of the erased": issuer.token("(erased)"),
        "alg none": issuer.unsigned("olga", groups=["operators"]),
        "confused keys": confused(issuer),
        "no JWT": "a.b.c",
    }
    return [KindOfCaller(name, token, None) for name, token in wrong.items()]


def confused(issuer: Issuer) -> str:
    """Signed by HMAC with the text of the issuer's public key: https://www.rfc-editor.org/rfc/rfc8725#section-2.1."""
    head = _part({"alg": "HS256", "kid": "first"})
    claims = {"iss": issuer.url, "aud": "expediter", "sub": "olga", "groups": ["operators"], "exp": issuer.now + 600}
    signed = f"{head}.{_part(claims)}"
    public = rsa_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    mac = hmac.new(public, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def known(issuer: Issuer) -> list[KindOfCaller]:
    """Who is known: a customer, each role, and a program of the issuer's."""
    return [
        KindOfCaller("the plain token", TOKEN, ALL),
        KindOfCaller("a customer", issuer.token("bob"), CUSTOMER),
        KindOfCaller("a customer in other groups", issuer.token("bob", groups=["cooks", "Operators"]), CUSTOMER),
        KindOfCaller("a customer in one group", issuer.token("bob", groups="not operators"), CUSTOMER),
        KindOfCaller("a customer in a group with a comma", issuer.token("bob", groups="cooks,operators"), CUSTOMER),
        KindOfCaller(
            "a customer who asks for scopes", issuer.token("bob", client_id="app", scope="expediter/dlq"), CUSTOMER
        ),
        *(KindOfCaller(role, issuer.token("olga", groups=[f"operators-{role}"]), ROLES[role]) for role in Role),
        KindOfCaller("an operator", issuer.token("olga", groups="operators"), ALL),
        KindOfCaller(
            "a program of the issuer's",
            issuer.token("till", client_id="till", scope="openid expediter/dlq expediter/orders:write"),
            scopes_in(["dlq", "orders:write"]),
        ),
    ]


async def programs(client: httpx.AsyncClient) -> list[KindOfCaller]:
    """For each scope a key that lacks only this one, and one that has no other."""
    kinds = []
    for scope in Scope:
        for name, scopes in (("only", [scope]), ("all but", [one for one in Scope if one is not scope])):
            _, key = await made_key(client, list(scopes))
            kinds.append(KindOfCaller(f"a key with {name} {scope}", key, scopes_in(scopes)))
    return kinds


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
