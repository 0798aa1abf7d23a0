"""Sessions of the console, and the tokens that prove that a form comes from a page of its session.

Sessions are kept in memory, by their cookies. They end when the operator signs out, when the server restarts (which a
change of its token needs), and after twelve hours.
"""

import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from expediter.app.ports import Caller
from expediter.embedded.web.access.authenticator import OPERATOR

COOKIE = "expediter_session"
#: Seconds that a session lasts.
LASTS = 12 * 3_600
#: Sessions at the same time at most. The oldest ends first.
MOST_SESSIONS = 1_000


class ConsoleSession(NamedTuple):
    """A signed-in browser. ``ends``: in seconds. ``name``: of the operator. ``secret``: signs the session's forms.

    ``caller``: the operator as a caller of the API, with his scopes. ``shown``: the key or token that he signed in with
    (``Bearer TOKEN``), if it can be revoked.
    """

    name: str
    secret: bytes
    ends: float
    caller: Caller = OPERATOR
    shown: str = ""


class ConsoleSessions:
    """``clock``: a monotonic one, in seconds, so that setting the machine's clock ends no session."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._sessions: OrderedDict[str, ConsoleSession] = OrderedDict()

    def begin(self, name: str, caller: Caller = OPERATOR, shown: str = "") -> tuple[ConsoleSession, str]:
        """A new session and its cookie."""
        cookie, secret = secrets.token_urlsafe(32), secrets.token_bytes(32)
        session = self._sessions[cookie] = ConsoleSession(name, secret, self._clock() + LASTS, caller, shown)
        if len(self._sessions) > MOST_SESSIONS:
            self._sessions.popitem(last=False)
        return session, cookie

    def find(self, cookie: str) -> ConsoleSession | None:
        """The session of the cookie; None when there is none or it has ended."""
        session = self._sessions.get(cookie)
        if session is not None and session.ends <= self._clock():
            del self._sessions[cookie]
            return None
        return session

    def end(self, cookie: str) -> None:
        """Ends the session of the cookie."""
        self._sessions.pop(cookie, None)


def form_token(session: ConsoleSession) -> str:
    """A token for a form of this session. It is different each time, so that compression cannot reveal it."""
    nonce = secrets.token_hex(12)
    return f"{nonce}.{_mac(session, nonce)}"


def is_ours(session: ConsoleSession, token: str) -> bool:
    """Whether this session made the form's token."""
    nonce, _, mac = token.partition(".")
    return hmac.compare_digest(mac.encode("utf-8", "surrogateescape"), _mac(session, nonce).encode())


def _mac(session: ConsoleSession, nonce: str) -> str:
    return hmac.new(session.secret, f"form {nonce}".encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()
