"""Counts and logs wrong tokens, and writes a limited number of them into the audit."""

from expediter.api.errors import TooManyRequests
from expediter.app.operator.audit import FAILED, SIGN_INS, Operator, record
from expediter.embedded.web.access.authenticator import key_id_in
from expediter.embedded.web.backend import Backend
from expediter.embedded.web.shares import Rate


class WrongTokens:
    """``of_caller`` limits what the audit records of one address, so that fast guessing does not hide others.
    ``of_all`` limits the sum, so that many addresses together do not fill the file.
    """

    def __init__(self, home: Backend, of_caller: Rate, of_all: Rate) -> None:
        self._home = home
        self._of_caller, self._of_all = of_caller, of_all

    def seen(self, shown: str, via: str, address: str) -> None:
        """Records a wrong token from this address. ``shown``: the header's value (``Bearer TOKEN``)."""
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
