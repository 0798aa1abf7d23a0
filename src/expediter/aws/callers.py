"""Who calls, from what Cognito's authorizers pass on. A call without a known user is nobody's: never an operator's."""

from expediter.api.errors import Unauthorized
from expediter.app.ports import Caller
from expediter.asl.protocol import Json

#: The Cognito group whose members see and change everybody's orders.
GROUP = "operators"


def from_authorizer(authorizer: Json) -> Caller:
    """API Gateway's ``requestContext.authorizer``. Groups are one text (``a,b``, ``[a b]``). Raises Unauthorized."""
    claims = authorizer.get("claims") or {}
    if "sub" not in claims:
        raise Unauthorized
    groups = claims.get("cognito:groups", "").strip("[]").replace(",", " ").split()
    return Caller(claims["sub"], GROUP in groups)


def from_identity(identity: Json) -> Caller:
    """AppSync's ``identity``: a Cognito user's, or our own functions' by IAM (no ``sub``). Raises Unauthorized."""
    if identity and identity.get("sub"):
        return Caller(identity["sub"], GROUP in (identity.get("groups") or []))
    if identity and identity.get("userArn"):
        return Caller(None, operator=True)
    raise Unauthorized
