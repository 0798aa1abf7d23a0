"""Who may do what: scopes, and the roles that stand for several of them. What each operation needs: ``api.access``."""

from collections.abc import Collection, Mapping
from enum import StrEnum

from expediter.domain.errors import OrderError


class Scope(StrEnum):
    """What a caller may do. A customer has the first two, for his own orders; a key has those that it was made with."""

    ORDERS_READ = "orders:read"
    ORDERS_WRITE = "orders:write"
    DLQ_READ = "dlq:read"
    DLQ = "dlq"
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
    """What an operator is employed for."""

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
_VIEWER = frozenset({Scope.ORDERS_READ, Scope.DLQ_READ, Scope.METRICS, Scope.AUDIT, Scope.WORKFLOW_READ})

#: A viewer sees everything but keys and the reconciled books, and changes nothing; an admin may do everything.
ROLES: Mapping[Role, frozenset[Scope]] = {
    Role.VIEWER: _VIEWER,
    Role.SUPPORT: _VIEWER | {Scope.ORDERS_WRITE, Scope.DLQ, Scope.MAIL},
    Role.FINANCE: _VIEWER | {Scope.REFUNDS, Scope.RECONCILE},
    Role.ADMIN: ALL,
}

#: The groups of an issuer whose members are operators, and their role.
GROUPS: Mapping[str, Role] = {"operators": Role.ADMIN, **{f"operators-{role}": role for role in Role}}


def scopes_in(names: Collection[str]) -> frozenset[Scope]:
    """The scopes of these names; others are left out. Who may act on dead letters or workflows may see them too."""
    found = frozenset(Scope(name) for name in names if name in _NAMES)
    return found.union(*(_INCLUDES[scope] for scope in found if scope in _INCLUDES))


def scopes_of_groups(groups: Collection[str]) -> frozenset[Scope] | None:
    """What the members of these groups may do; None: none of the groups is one of operators."""
    roles = [GROUPS[group] for group in groups if group in GROUPS]
    return frozenset().union(*(ROLES[role] for role in roles)) if roles else None


_INCLUDES = {Scope.DLQ: {Scope.DLQ_READ}, Scope.WORKFLOW: {Scope.WORKFLOW_READ}}
_NAMES = frozenset(map(str, Scope))
