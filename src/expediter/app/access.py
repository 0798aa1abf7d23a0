"""Authorization: scopes, and the roles that group them. ``api.access`` has what each operation needs."""

from collections.abc import Collection, Mapping
from enum import StrEnum

from expediter.domain.errors import OrderError


class Scope(StrEnum):
    """What a caller may do. A customer has the first two, for his own orders; a key has those that it was made with."""

    ORDERS_READ = "orders:read"
    ORDERS_WRITE = "orders:write"
    DLQ_READ = "dlq:read"
    DLQ = "dlq"
    MAIL_READ = "mail:read"
    MAIL = "mail"
    REFUNDS = "refunds"
    RECONCILE = "reconcile"
    ERASE = "erase"
    METRICS = "metrics"
    AUDIT = "audit"
    KEYS = "keys"
    WORKFLOW_READ = "workflow:read"
    WORKFLOW = "workflow"


class Role(StrEnum):
    """The role of an operator."""

    VIEWER = "viewer"
    SUPPORT = "support"
    FINANCE = "finance"
    ADMIN = "admin"


class ScopeMissing(OrderError):
    """The caller may not do this. Ask an operator for the scope that it needs."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(f"This needs the scope {scope}, and the caller does not have it. Ask an operator for it.")
        self.scope = scope


class OwnerRefused(OrderError):
    """A customer orders for himself only. Leave the user out, or name the one who is signed in."""


ALL = frozenset(Scope)
CUSTOMER = frozenset({Scope.ORDERS_READ, Scope.ORDERS_WRITE})
_VIEWER = frozenset(
    {Scope.ORDERS_READ, Scope.DLQ_READ, Scope.MAIL_READ, Scope.METRICS, Scope.AUDIT, Scope.WORKFLOW_READ}
)

#: A viewer sees everything except keys and the reconciliation, and changes nothing. An admin may do everything.
ROLES: Mapping[Role, frozenset[Scope]] = {
    Role.VIEWER: _VIEWER,
    Role.SUPPORT: _VIEWER | {Scope.ORDERS_WRITE, Scope.DLQ, Scope.MAIL},
    Role.FINANCE: _VIEWER | {Scope.REFUNDS, Scope.RECONCILE},
    Role.ADMIN: ALL,
}

#: The groups of operators at an issuer, and the role of their members.
GROUPS: Mapping[str, Role] = {"operators": Role.ADMIN, **{f"operators-{role}": role for role in Role}}


def scopes_in(names: Collection[str]) -> frozenset[Scope]:
    """The scopes with these names; others are left out. A scope to act on dead letters, mails or workflows includes the
    one to see them.
    """
    found = frozenset(Scope(name) for name in names if name in _NAMES)
    return found.union(*(_INCLUDES[scope] for scope in found if scope in _INCLUDES))


def scopes_of_groups(groups: Collection[str]) -> frozenset[Scope] | None:
    """The scopes of the members of these groups; None when none of the groups is one of operators."""
    roles = [GROUPS[group] for group in groups if group in GROUPS]
    return frozenset().union(*(ROLES[role] for role in roles)) if roles else None


_INCLUDES = {
    Scope.DLQ: {Scope.DLQ_READ},
    Scope.MAIL: {Scope.MAIL_READ},
    Scope.WORKFLOW: {Scope.WORKFLOW_READ},
}
_NAMES = frozenset(map(str, Scope))
