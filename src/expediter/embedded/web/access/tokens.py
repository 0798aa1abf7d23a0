"""Checks tokens of an OpenID Connect issuer (RFC 7519, RFC 9068), and reads the caller from them."""

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

import jwt
import msgspec

from expediter.api.access import TokenClaims, names_in, verified_email
from expediter.api.errors import Unauthorized
from expediter.asl.protocol import Json
from expediter.embedded.clock import Clock
from expediter.embedded.settings import Oidc

#: Signatures with a private key. Not HS256 and its like: there the key that checks can also sign.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
#: Seconds that the issuer's clock and ours may differ.
LEEWAY = 60
#: Characters of a token at most.
LONGEST = 8 * 1024

#: Returns the key with this id (empty: the token names none), or raises that it is unknown.
FindKey: TypeAlias = Callable[[str], jwt.PyJWK]
# ``checked`` checks times, by the server's clock and by the machine's.
_OPTIONS: jwt.types.Options = {
    "verify_aud": False,
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
    "require": ["exp", "iss", "sub"],
}


class _Times(msgspec.Struct, frozen=True):
    exp: float
    nbf: float = 0
    aud: str | list[str] | None = None
    client_id: str = ""
    nonce: str = ""


class TimeRange(NamedTuple):
    """The earliest and the latest time that it may be now, in ms since 1970 UTC."""

    earliest: int
    latest: int


def time_range(clock: Clock) -> TimeRange:
    """After the machine's clock was set, the server's clock differs from it for hours. Either may agree with the
    issuer's. So a token that is valid by one of them is accepted.
    """
    ours = clock.now()
    machines = ours + clock.machine_ahead()
    return TimeRange(min(ours, machines), max(ours, machines))


def checked(
    token: str, oidc: Oidc, audience: tuple[str, ...], find_key: FindKey, time_range: TimeRange
) -> dict[str, Json]:
    """The claims of a token that this issuer made for one of these audiences. Raises Unauthorized."""
    try:
        if len(token) > LONGEST:
            raise jwt.InvalidTokenError("it is too long")
        head = jwt.get_unverified_header(token)
        key = find_key(str(head.get("kid", "")))
        claims: dict[str, Json] = jwt.decode(token, key, ALGORITHMS, _OPTIONS, issuer=oidc.issuer)
        times = msgspec.convert(claims, _Times)
    except (jwt.PyJWTError, msgspec.ValidationError, ValueError, RecursionError) as error:
        raise refused() from error
    if time_range.latest < (times.nbf - LEEWAY) * 1000 or time_range.earliest >= (times.exp + LEEWAY) * 1000:
        raise refused()
    # Cognito's access tokens name a client, and no audience.
    meant = [times.client_id] if times.aud is None else [times.aud] if isinstance(times.aud, str) else times.aud
    if not set(meant) & set(audience):
        raise refused()
    return claims


def claims_of(claims: Mapping[str, Json], oidc: Oidc) -> TokenClaims:
    """The caller from the claims. Raises Unauthorized when a claim has the wrong form."""
    try:
        return msgspec.convert(
            {
                "sub": claims["sub"],
                "client_id": claims.get("client_id") or "",
                "scope": " ".join(names_in(claims.get("scope", ""))),
                "groups": names_in(claims.get(oidc.operators_claim, [])),
                "name": _name(claims),
                "exp": int(claims["exp"]),
                "email": verified_email(claims),
            },
            TokenClaims,
        )
    except (msgspec.ValidationError, ValueError, OverflowError) as error:
        raise refused() from error


def _name(claims: Mapping[str, Json]) -> str:
    """The name for the audit: the issuer's name of the person, else the subject."""
    for claim in ("name", "preferred_username", "cognito:username"):
        if isinstance(found := claims.get(claim), str) and found.isprintable() and found.strip():
            return found[:60]
    return ""


def refused() -> Unauthorized:
    """The same error for every wrong token, so that an attacker does not learn why."""
    return Unauthorized(
        "The token in the header Authorization is wrong, or it has expired. Get a new one and send it again.",
        refused=True,
    )
