"""Counts and logs tokens that were wrong, and writes a limited number of them into the audit."""

from expediter.api.errors import TooManyRequests
from expediter.app.operator.audit import FAILED, SIGN_INS, Operator, record
from expediter.embedded.web.access.authenticator import key_id_in
from expediter.embedded.web.backend import Backend
from expediter.embedded.web.shares import Rate


class WrongTokens:
    """How many are written into the audit: ``of_caller`` of one address, so that somebody who guesses fast does not
    hide others, and ``of_all``, so that many together do not fill the file.
    """

    def __init__(self, home: Backend, of_caller: Rate, of_all: Rate) -> None:
        self._home = home
        self._of_caller, self._of_all = of_caller, of_all

    def seen(self, shown: str, via: str, address: str) -> None:
        """A wrong token came from this address: ``shown`` is what was shown (``Bearer TOKEN``)."""
        key_id = key_id_in(shown)
        self._home.sign_in_failed(key_id)
        try:
            self._of_caller.count(address)
            self._of_all.count("")
        except TooManyRequests:
            return
        self._home.note(
            lambda services: record(services, Operator("", via, address), FAILED, SIGN_INS, key_id), "audit"
        )
