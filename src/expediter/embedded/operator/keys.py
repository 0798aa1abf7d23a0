"""The keys of programs on SQLite. The valid ones are also in memory, for every request."""

from collections.abc import Callable

from expediter.app.access import scopes_in
from expediter.app.operator.services import ApiKey
from expediter.embedded.sqlite.session import Row, Session, Statements

_SQL = Statements("keys")


class SqliteKeys:
    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, key: ApiKey) -> None:
        scopes = " ".join(sorted(key.scopes))
        self._session.rows(_SQL["add"], (key.id, key.name, key.hash, scopes, key.made_at, key.ends_at))

    def all(self) -> tuple[ApiKey, ...]:
        return tuple(map(_key, self._session.rows(_SQL["all"])))

    def revoke(self, key_id: str, now: int) -> None:
        self._session.rows(_SQL["revoke"], (key_id, now))

    def used(self, key_id: str, now: int) -> None:
        self._session.rows(_SQL["used"], (key_id, now))


class KeysInForce:
    """``read`` gives all keys that are committed. This process alone writes them, so it reads again after it wrote."""

    def __init__(self, read: Callable[[], tuple[ApiKey, ...]]) -> None:
        self._read = read
        self._keys: dict[str, ApiKey] | None = None

    def find(self, key_id: str) -> ApiKey | None:
        """The key that begins with this id, unless it was revoked."""
        if self._keys is None:
            self._keys = {key.id: key for key in self._read() if key.revoked_at is None}
        return self._keys.get(key_id)

    def changed(self) -> None:
        """A key was added or revoked. All are read again at the next request."""
        self._keys = None


def _key(row: Row) -> ApiKey:
    key_id, name, fingerprint, scopes, made_at, ends_at, revoked_at, used_at = row
    return ApiKey(key_id, name, fingerprint, scopes_in(scopes.split()), made_at, ends_at, revoked_at, used_at)
