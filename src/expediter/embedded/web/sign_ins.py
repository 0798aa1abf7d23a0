"""Tokens that were wrong: each is counted and logged, and so many of them stand in the audit."""

from expediter.api.errors import TooManyRequests
from expediter.app.operator.audit import FAILED, SIGN_INS, Operator, record
from expediter.embedded.web.backend import Backend
from expediter.embedded.web.shares import Rate


class WrongTokens:
    """``rate``: how many are written into the audit; who guesses fast must not fill the file."""

    def __init__(self, home: Backend, rate: Rate) -> None:
        self._home = home
        self._rate = rate

    def seen(self, via: str, caller: str) -> None:
        """Somebody at this address sent one."""
        self._home.sign_in_failed()
        try:
            self._rate.count("")
        except TooManyRequests:
            return
        self._home.note(lambda services: record(services, Operator("", via, caller), FAILED, SIGN_INS), "audit")
