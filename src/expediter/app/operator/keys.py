"""Makes, lists and revokes keys for programs. A key is shown once. Only its hash is stored."""

from expediter.app.access import ScopeMissing
from expediter.app.operator.audit import operator_of, record
from expediter.app.operator.services import ApiKey, OperatorServices
from expediter.app.ports import Caller
from expediter.domain.errors import Fault, OrderError, OrderInvalid

#: Valid keys at the same time at most.
MOST_KEYS = 1_000
#: The subject of the audit's entries about keys.
SUBJECT = "keys"
#: The title of an error about a new key.
NO_KEY = "The key cannot be made as it was asked for"


class KeyNotFound(OrderError):
    """There is no such key in force. List them to see which there are."""


def add(services: OperatorServices, caller: Caller, key: ApiKey) -> None:
    """Stores a key. Raises OrderInvalid, and ScopeMissing when the key has a scope that its maker does not have."""
    if missing := sorted(key.scopes - caller.scopes):
        raise ScopeMissing(missing[0])
    if key.ends_at is not None and key.ends_at <= services.work.now:
        raise OrderInvalid((Fault("expires_at", "give a time to come"),), NO_KEY)
    in_force = [one for one in services.keys.all() if one.revoked_at is None]
    if len(in_force) >= MOST_KEYS:
        raise OrderInvalid((Fault("", f"there are {MOST_KEYS} keys already; revoke one"),), NO_KEY)
    _require_plain(key.name, in_force)
    services.keys.add(key)
    record(services, operator_of(caller), "made one", SUBJECT, _named(key))


def _require_plain(name: str, keys: list[ApiKey]) -> None:
    """The name is a program's identity. Raises OrderInvalid when it looks like another one's, ``Shop`` for ``shop``."""
    for other in {key.name for key in keys} - {name}:
        if other.lower().split() == name.lower().split():
            fault = Fault(
                "name", f'there is a program called "{other}"; write the name as it is there, or take another'
            )
            raise OrderInvalid((fault,), NO_KEY)


def revoke(services: OperatorServices, caller: Caller, key_id: str) -> None:
    """Revokes a key. Raises KeyNotFound."""
    found = [key for key in services.keys.all() if key.id == key_id and key.revoked_at is None]
    if not found:
        raise KeyNotFound
    services.keys.revoke(key_id, services.work.now)
    record(services, operator_of(caller), "revoked one", SUBJECT, _named(found[0]))


def _named(key: ApiKey) -> str:
    return f"{key.name} ({key.id}): {', '.join(sorted(key.scopes))}"


def caller_by(key: ApiKey) -> Caller:
    """The program with this key, as a caller. Keys of the same name are one program's."""
    name = f"{key.name} ({key.id})"
    return Caller(name=name, scopes=key.scopes, until=key.ends_at, program=f"key {key.name}")
