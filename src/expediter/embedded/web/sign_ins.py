"""Counts and logs tokens that were wrong, and writes a limited number of them into the audit."""

from expediter.api.errors import TooManyRequests
from expediter.app.operator.audit import FAILED, SIGN_INS, Operator, record
from expediter.embedded.web.access.authenticator import key_id_in
from expediter.embedded.web.backend import Backend
from expediter.embedded.web.shares import Rate


class WrongTokens:
    """``rate``: how many are written into the audit. Somebody who guesses fast must not fill the file."""

    def __init__(self, home: Backend, rate: Rate) -> None:
        self._home = home
        self._rate = rate

    def seen(self, shown: str, via: str, address: str) -> None:
        """A wrong token came from this address: ``shown`` is what was shown (``Bearer TOKEN``)."""
        key_id = key_id_in(shown)
        self._home.sign_in_failed(key_id)
        try:
            self._rate.count("")
        except TooManyRequests:
            return
        self._home.note(
            lambda services: record(services, Operator("", via, address), FAILED, SIGN_INS, key_id), "audit"
        )
