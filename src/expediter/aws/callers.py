"""Who calls, from what Cognito's authorizers pass on. A call without a known user is nobody's: never an operator's."""

from expediter.api.access import Claims, caller_of, words_of
from expediter.api.errors import Unauthorized
from expediter.app.access import Scope
from expediter.app.ports import Caller
from expediter.asl.protocol import Json


def from_authorizer(authorizer: Json) -> Caller:
    """API Gateway's ``requestContext.authorizer``. Groups are one text (``a,b``, ``[a b]``). Raises Unauthorized."""
    return _caller(authorizer.get("claims") or {}, "")


def from_identity(identity: Json) -> Caller:
    """AppSync's ``identity``: a Cognito user's, or our own functions' by IAM (no ``sub``), which only publish.

    Raises Unauthorized.
    """
    if identity and identity.get("sub"):
        return _caller(identity.get("claims") or {}, identity["sub"], identity.get("groups"))
    if identity and identity.get("userArn"):
        return Caller(scopes=frozenset({Scope.WORKFLOW}))
    raise Unauthorized


def from_message(attributes: dict[str, str]) -> Caller:
    """Who sent an order straight to the queue, as API Gateway wrote it down. Raises Unauthorized."""
    claims = {"client_id": attributes.get("client_id", ""), "scope": attributes.get("scope", "")}
    return _caller(claims, attributes["caller"], attributes.get("groups"))


def _caller(claims: Json, sub: str, groups: Json = None) -> Caller:
    sub = sub or claims.get("sub")
    if not sub:
        raise Unauthorized
    named = words_of(groups or claims.get("cognito:groups") or "")
    return caller_of(Claims(sub, claims.get("client_id", ""), claims.get("scope", ""), named))
