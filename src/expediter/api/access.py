"""What each operation needs of its caller: one table, and the function that checks it.

The pages of the console have theirs in ``console.routes``.
"""

from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias

import msgspec

from expediter.api.errors import Unauthorized
from expediter.app import addresses
from expediter.app.access import CUSTOMER, Scope, ScopeMissing, scopes_in, scopes_of_groups
from expediter.app.field_types import MAX_NAME
from expediter.app.ports import Caller
from expediter.asl.protocol import Json
from expediter.domain.order import ERASED
from expediter.domain.texts import composed

#: A scope; or a known caller with any scopes ("token"); or nothing, so that everybody gets an answer.
Need: TypeAlias = Scope | Literal["token", "nothing"]

#: By operationId of openapi.json, and by field of schema.graphql.
NEEDS: Mapping[str, Need] = {
    "postOrder": Scope.ORDERS_WRITE,
    "listOrders": Scope.ORDERS_READ,
    "getOrder": Scope.ORDERS_READ,
    "putOrder": Scope.ORDERS_WRITE,
    "deleteOrder": Scope.ORDERS_WRITE,
    "cancelOrder": Scope.ORDERS_WRITE,
    "continuePayment": Scope.ORDERS_WRITE,
    "getTimeline": Scope.ORDERS_READ,
    "getLedger": Scope.ORDERS_READ,
    "refundOrder": Scope.REFUNDS,
    "listRefunds": Scope.ORDERS_READ,
    "getCustomerPage": Scope.ORDERS_READ,
    "getMails": Scope.MAIL_READ,
    "resendMails": Scope.MAIL,
    "listMails": Scope.MAIL_READ,
    "listAudit": Scope.AUDIT,
    "listDeadLetters": Scope.DLQ_READ,
    "purgeDeadLetters": Scope.DLQ,
    "getDeadLetter": Scope.DLQ_READ,
    "deleteDeadLetter": Scope.DLQ,
    "redriveDeadLetter": Scope.DLQ,
    "redriveDeadLetters": Scope.DLQ,
    "redriveOrder": Scope.REFUNDS,
    "listWorkflowVersions": Scope.WORKFLOW_READ,
    "getWorkflowVersion": Scope.WORKFLOW_READ,
    "countWorkflowStates": Scope.WORKFLOW_READ,
    "publishWorkflowVersion": Scope.WORKFLOW,
    "setWorkflowRouting": Scope.WORKFLOW,
    "undoWorkflowRouting": Scope.WORKFLOW,
    "eraseUser": Scope.ERASE,
    "reconcile": Scope.RECONCILE,
    "listKeys": Scope.KEYS,
    "addKey": Scope.KEYS,
    "revokeKey": Scope.KEYS,
    # The task's token is in the path. It cannot be guessed, and is valid for one answer.
    "sendTaskSuccess": "nothing",
    "sendTaskFailure": "nothing",
    "sendTaskHeartbeat": "nothing",
    # The event is signed.
    "receiveStripeEvent": "nothing",
    "receivePaymentEvent": "nothing",
    "listDeadEvents": Scope.DLQ_READ,
    "redriveDeadEvent": Scope.DLQ,
    "deleteDeadEvent": Scope.DLQ,
    # For load balancers.
    "getHealth": "nothing",
    "getReadiness": "nothing",
    "getMetrics": Scope.METRICS,
    "getOpenapi": "token",
    "Query.order": Scope.ORDERS_READ,
    "Query.orders": Scope.ORDERS_READ,
    "Mutation.postOrder": Scope.ORDERS_WRITE,
    "Mutation.updateOrder": Scope.ORDERS_WRITE,
    "Mutation.deleteOrder": Scope.ORDERS_WRITE,
    "Mutation.cancelOrder": Scope.ORDERS_WRITE,
    "Mutation.continuePayment": Scope.ORDERS_WRITE,
    "Mutation.publishOrder": Scope.WORKFLOW,
    "Subscription.orderUpdated": Scope.ORDERS_READ,
}

#: The prefix of our scopes at an issuer, which also has scopes of other services.
RESOURCE = "expediter/"


def require(scopes: frozenset[Scope], need: Need) -> None:
    """Raises ScopeMissing unless the caller has the scope that is needed."""
    if isinstance(need, Scope) and need not in scopes:
        raise ScopeMissing(need)


def require_to_see(scopes: frozenset[Scope], fields: Iterable[str]) -> None:
    """Raises ScopeMissing when a mutation asks for more of its order than the id, and its caller may not read orders.

    ``fields``: the fields of the order that it asks for.
    """
    if Scope.ORDERS_READ not in scopes and not {"id", "__typename"}.issuperset(fields):
        raise ScopeMissing(Scope.ORDERS_READ)


class TokenClaims(msgspec.Struct, frozen=True):
    """The claims of a checked token. ``groups``: the claim with the caller's groups. ``exp``: in seconds. ``email``: an
    address that the issuer has verified.
    """

    sub: str
    client_id: str = ""
    scope: str = ""
    groups: tuple[str, ...] = ()
    name: str = ""
    exp: int | None = None
    email: str = ""


def caller_of(claims: TokenClaims) -> Caller:
    """The token's caller: a member of an operators' group, else a program with a token of its own, else a customer, who
    is the user of his orders.

    A program's token has the program for its subject (RFC 9068, section 2.2). Raises Unauthorized for a customer whose
    name no order can carry.
    """
    until = None if claims.exp is None else claims.exp * 1000
    if scopes := scopes_of_groups(claims.groups):
        # At many issuers people choose their names themselves: only the subject tells who acted.
        name = f"{claims.name} ({claims.sub})" if claims.name not in {"", claims.sub} else claims.sub
        return Caller(claims.sub, name=name, scopes=scopes, until=until)
    if claims.client_id and claims.client_id == claims.sub:
        given = [word.removeprefix(RESOURCE) for word in claims.scope.split() if word.startswith(RESOURCE)]
        return Caller(name=claims.sub, scopes=scopes_in(given), until=until, program=f"client {claims.sub}")
    user_id = composed(claims.sub)
    if user_id == ERASED or not 0 < len(user_id) <= MAX_NAME:
        raise Unauthorized(
            "The token is for a user whose name cannot be in an order. Sign in as another.", refused=True
        )
    email = "" if addresses.fault(claims.email) else composed(claims.email)
    return Caller(user_id, operator=False, name="customer", scopes=CUSTOMER, until=until, email=email)


def verified_email(claims: Mapping[str, Json]) -> str:
    """The address of the token's user, if the issuer says that it has verified it; else empty.

    Both claims are OpenID Connect Core's, section 5.1. API Gateway makes texts of all claims.
    """
    email, verified = claims.get("email"), claims.get("email_verified")
    return email if isinstance(email, str) and (verified is True or verified == "true") else ""


def names_in(value: Json) -> tuple[str, ...]:
    """The names in a claim that lists some: a JSON array. A text is one name, whatever is in it: a group may be called
    ``not operators``.
    """
    if isinstance(value, str):
        return (value,)
    return tuple(name for name in value if isinstance(name, str)) if isinstance(value, list) else ()
