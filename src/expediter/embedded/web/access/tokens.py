"""Tokens of an OpenID Connect issuer (RFC 7519, RFC 9068): what is checked, and what is read from them."""

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

import jwt
import msgspec

from expediter.api.access import Claims, names_in
from expediter.api.errors import Unauthorized
from expediter.asl.protocol import Json
from expediter.embedded.clock import Clock
from expediter.embedded.settings import Oidc

#: Signatures with a key of the issuer's own. Not HS256 and its like: there the checker's key could sign too.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
#: Seconds that the issuer's clock and ours may differ.
LEEWAY = 60
#: Characters of a token that are looked at.
LONGEST = 8 * 1024

#: The key of this id (empty: the token names none). Raises whatever says that it is not known.
FindKey: TypeAlias = Callable[[str], jwt.PyJWK]
# We check times ourselves, by our own clock and the machine's.
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


class Moment(NamedTuple):
    """What time it may be, in ms since 1970 UTC."""

    earliest: int
    latest: int


def moment(clock: Clock) -> Moment:
    """After the machine's clock was set, ours differs from it for hours, and either may be the issuer's. So no token
    that is right by one of them is refused.
    """
    ours = clock.now()
    machines = ours + clock.machine_ahead()
    return Moment(min(ours, machines), max(ours, machines))


def checked(token: str, oidc: Oidc, audience: tuple[str, ...], find_key: FindKey, moment: Moment) -> dict[str, Json]:
    """The claims of a token that this issuer made for us. Raises Unauthorized."""
    try:
        if len(token) > LONGEST:
            raise jwt.InvalidTokenError("it is too long")
        head = jwt.get_unverified_header(token)
        key = find_key(str(head.get("kid", "")))
        claims: dict[str, Json] = jwt.decode(token, key, ALGORITHMS, _OPTIONS, issuer=oidc.issuer)
        times = msgspec.convert(claims, _Times)
    except (jwt.PyJWTError, msgspec.ValidationError, ValueError, RecursionError) as error:
        raise refused() from error
    if moment.latest < (times.nbf - LEEWAY) * 1000 or moment.earliest >= (times.exp + LEEWAY) * 1000:
        raise refused()
    # Cognito's access tokens name the client that they were made for, and no audience.
    meant = [times.client_id] if times.aud is None else [times.aud] if isinstance(times.aud, str) else times.aud
    if not set(meant) & set(audience):
        raise refused()
    return claims


def claims_of(claims: Mapping[str, Json], oidc: Oidc) -> Claims:
    """What the claims say of the caller. Raises Unauthorized when one has another form than it should."""
    try:
        return msgspec.convert(
            {
                "sub": claims["sub"],
                "client_id": claims.get("client_id") or "",
                "scope": " ".join(names_in(claims.get("scope", ""))),
                "groups": names_in(claims.get(oidc.operators_claim, [])),
                "name": _name(claims),
                "exp": int(claims["exp"]),
            },
            Claims,
        )
    except (msgspec.ValidationError, ValueError, OverflowError) as error:
        raise refused() from error


def _name(claims: Mapping[str, Json]) -> str:
    """A name for the audit: what the issuer calls the person, else the subject."""
    for claim in ("name", "preferred_username", "cognito:username"):
        if isinstance(found := claims.get(claim), str) and found.isprintable() and found.strip():
            return found[:60]
    return ""


def refused() -> Unauthorized:
    """The same for every token that is wrong: who made it up learns nothing of why."""
    return Unauthorized(
        "The token in the header Authorization is wrong, or its time is over. Get a new one and send it again.",
        refused=True,
    )
