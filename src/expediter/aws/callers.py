"""Who calls, from what Cognito's authorizers pass on. A call without a known user is nobody's: never an operator's."""

from expediter.api.access import Claims, caller_of, names_in
from expediter.api.errors import Unauthorized
from expediter.app.access import Scope
from expediter.app.ports import Caller
from expediter.asl.protocol import Json

#: The claim of Cognito's tokens that names groups.
_GROUPS = "cognito:groups"


def from_authorizer(authorizer: Json) -> Caller:
    """API Gateway's ``requestContext.authorizer``, which has the groups in one text. Raises Unauthorized."""
    claims = authorizer.get("claims") or {}
    return _caller(claims, claims.get("sub"), _listed(claims.get(_GROUPS)))


def from_identity(identity: Json) -> Caller:
    """AppSync's ``identity``: a Cognito user's, or our own functions' by IAM (no ``sub``), which only publish.

    Raises Unauthorized.
    """
    if identity and identity.get("sub"):
        claims = identity.get("claims") or {}
        return _caller(claims, identity["sub"], names_in(identity.get("groups") or claims.get(_GROUPS)))
    if identity and identity.get("userArn"):
        return Caller(scopes=frozenset({Scope.WORKFLOW}))
    raise Unauthorized


def from_message(attributes: dict[str, str]) -> Caller:
    """Who sent an order straight to the queue, as API Gateway wrote it down. Raises Unauthorized."""
    claims = {"client_id": attributes.get("client_id", ""), "scope": attributes.get("scope", "")}
    return _caller(claims, attributes["caller"], _listed(attributes.get("groups")))


def _listed(groups: Json) -> tuple[str, ...]:
    """The groups in the text that API Gateway makes of a list: ``a,b``, or ``[a b]``. Cognito's have no spaces in their
    names; in a text without brackets a space belongs to a name.
    """
    if not isinstance(groups, str):
        return names_in(groups)
    if groups.startswith("[") and groups.endswith("]"):
        return tuple(groups[1:-1].split())
    return tuple(groups.split(","))


def _caller(claims: Json, sub: Json, groups: tuple[str, ...]) -> Caller:
    if not sub:
        raise Unauthorized
    return caller_of(Claims(sub, claims.get("client_id", ""), claims.get("scope", ""), groups))
