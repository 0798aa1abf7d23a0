"""Who sits at the console, and what proves that a form is ours.

Sessions are kept in memory, by the cookie that stands for them. So they end when somebody signs out, when the server
starts again (which a change of its token needs), and after twelve hours.
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
#: Sessions at the same time; the one that began first ends when there are more.
MOST_SESSIONS = 1_000


class ConsoleSession(NamedTuple):
    """A browser that is let in until ``ends`` (seconds); ``name`` is who acts, ``secret`` signs the session's forms.

    ``caller``: who he is over the API, with what he may do. ``shown``: what let him in (``Bearer TOKEN``), where it can
    be taken back.
    """

    name: str
    secret: bytes
    ends: float
    caller: Caller = OPERATOR
    shown: str = ""


class ConsoleSessions:
    """``clock`` tells seconds that have passed since some moment: setting the machine's clock ends no session."""

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
        """The session that the cookie stands for; None: none, or it is over."""
        session = self._sessions.get(cookie)
        if session is not None and session.ends <= self._clock():
            del self._sessions[cookie]
            return None
        return session

    def end(self, cookie: str) -> None:
        """Whoever has the cookie is not let in any more."""
        self._sessions.pop(cookie, None)


def form_token(session: ConsoleSession) -> str:
    """Goes into every form of this session. Another one each time, so that compression gives nothing away."""
    nonce = secrets.token_hex(12)
    return f"{nonce}.{_mac(session, nonce)}"


def is_ours(session: ConsoleSession, token: str) -> bool:
    """Whether a form's token was made for this session."""
    nonce, _, mac = token.partition(".")
    return hmac.compare_digest(mac.encode("utf-8", "surrogateescape"), _mac(session, nonce).encode())


def _mac(session: ConsoleSession, nonce: str) -> str:
    return hmac.new(session.secret, f"form {nonce}".encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()
