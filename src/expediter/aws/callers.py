"""The caller of a request, from what Cognito's authorizers pass on. A call without a known user is unauthorized."""

from expediter.api.access import TokenClaims, caller_of, names_in, verified_email
from expediter.api.errors import Unauthorized
from expediter.app.access import Scope
from expediter.app.ports import Caller
from expediter.asl.protocol import Json

#: The claim of Cognito's tokens that names groups.
_GROUPS = "cognito:groups"


def from_authorizer(authorizer: Json) -> Caller:
    """The caller from API Gateway's ``requestContext.authorizer``, which has groups as a text. Raises Unauthorized."""
    claims = authorizer.get("claims") or {}
    return _caller(claims, claims.get("sub"), _listed(claims.get(_GROUPS)))


def from_identity(identity: Json) -> Caller:
    """The caller from AppSync's ``identity``: a Cognito user, or by IAM (no ``sub``) one of our functions, which only
    publish.

    Raises Unauthorized.
    """
    if identity and identity.get("sub"):
        claims = identity.get("claims") or {}
        return _caller(claims, identity["sub"], names_in(identity.get("groups") or claims.get(_GROUPS)))
    if identity and identity.get("userArn"):
        return Caller(scopes=frozenset({Scope.WORKFLOW, Scope.ORDERS_READ}))
    raise Unauthorized


def from_message(attributes: dict[str, str]) -> Caller:
    """The caller of an order that API Gateway sent to the queue, from the message. Raises Unauthorized."""
    claims = {name: attributes.get(name, "") for name in ("client_id", "scope", "email")}
    # The mapping template sends a verified address only.
    claims["email_verified"] = "true"
    return _caller(claims, attributes["caller"], _listed(attributes.get("groups")))


def _listed(groups: Json) -> tuple[str, ...]:
    """The groups in the text that API Gateway makes of a list: ``a,b``, or ``[a b]``.

    Names of Cognito's groups have no spaces. In a text without brackets a space belongs to a name.
    """
    if not isinstance(groups, str):
        return names_in(groups)
    if groups.startswith("[") and groups.endswith("]"):
        return tuple(groups[1:-1].split())
    return tuple(groups.split(","))


def _caller(claims: Json, sub: Json, groups: tuple[str, ...]) -> Caller:
    if not sub:
        raise Unauthorized
    client, scope = claims.get("client_id", ""), claims.get("scope", "")
    return caller_of(TokenClaims(sub, client, scope, groups, email=verified_email(claims)))
