"""E-mail addresses: which ones a mail server may accept, and in which form it gets them.

email-validator checks only the form. Only the mail server can tell whether the address exists, so nothing is looked up.
A domain with letters outside ASCII goes to the mail server as ``xn--…``. Such letters before the @ need a mail server
that offers SMTPUTF8 (RFC 6531).
"""

import re
from typing import TYPE_CHECKING

from expediter.app.ports import MailServer
from expediter.domain.errors import Fault, OrderInvalid

if TYPE_CHECKING:
    from email_validator import ValidatedEmail

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"(?!..--)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
#: Nearly all addresses match this. They are valid by the same rules (RFC 5321, section 4.1.2). email-validator would
#: take 30 microseconds for each, and 30 milliseconds to be imported.
_PLAIN = re.compile(rf"(?=.{{3,254}}\Z)(?=[^@]{{1,64}}@){_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*").fullmatch


def fault(address: str) -> str:
    """Why no mail server accepts the address; empty when one may."""
    if _PLAIN(address):
        return ""
    try:
        _read(address)
    except ValueError as error:  # EmailNotValidError is one
        why = str(error).rstrip(".")
        return f"no mail server takes it: {why[:1].lower()}{why[1:200]}"
    return ""


def for_server(address: str) -> str:
    """The address in the form for a mail server: its domain in ASCII. An invalid one stays as it is."""
    if _PLAIN(address):
        return address
    try:
        read = _read(address)
    except ValueError:
        return address  # an earlier version accepted it; the mail server will refuse it
    return read.ascii_email or f"{read.local_part}@{read.ascii_domain}"


def require_taken(address: object, server: MailServer | None) -> None:
    """Raises OrderInvalid when the address needs SMTPUTF8 and the mail server does not offer it (or there is none)."""
    if isinstance(address, str) and not address.partition("@")[0].isascii() and not (server and server.smtputf8):
        why = "no mail server takes it: ours does not offer SMTPUTF8, so only ASCII may stand before the @"
        raise OrderInvalid((Fault("email", why),))


def _read(address: str) -> "ValidatedEmail":
    """Raises EmailNotValidError, a ValueError."""
    import email_validator  # noqa: PLC0415  # few addresses need it, and it would double a function's cold start

    email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()  # a mail server in a local network may serve .local
    return email_validator.validate_email(address, strict=True, check_deliverability=False, globally_deliverable=False)
