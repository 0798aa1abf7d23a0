"""Sends mails by SMTP. MailUnavailable: the mail may be sent later. MailRefused: it never can be."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email import policy
from email.errors import HeaderParseError, MessageDefect
from email.headerregistry import Address
from email.message import EmailMessage
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib

from expediter.app import addresses
from expediter.app.gateways import cleaned
from expediter.app.mails import message_id
from expediter.app.ports import Mail

#: Seconds for each exchange with the SMTP server.
TIMEOUT = 10.0
SENDER = "orders@expediter.local"


class MailUnavailable(Exception):
    """The mail could not be handed over now. Try again later."""


class MailRefused(Exception):
    """The mail cannot be sent as it is: its address is not one, or the server refused it for good (5xx)."""


class Mailer:
    """Sends by ``url``: ``smtp[s]://[user:password@]host[:port][?from=address]``. ``smtp`` uses STARTTLS if offered.

    Raises ValueError for another URL.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError("give smtp://host:port or smtps://user:password@host:port")
        self._host = parts.hostname
        self._tls = parts.scheme == "smtps"
        self._port = parts.port or (465 if self._tls else 25)
        #: Whether the server offers SMTPUTF8, as it said when it was last asked.
        self.smtputf8 = False
        self._user = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None
        try:
            self._sender = _address(parse_qs(parts.query).get("from", [SENDER])[0])
        except MailRefused as error:
            raise ValueError(f"give an e-mail address as ?from=: {error}") from error

    @property
    def sender(self) -> Address:
        """The address that mails come from."""
        return self._sender

    async def deliver(self, mail: Mail, now: int) -> None:
        """Hands the mail to the server, dated ``now`` (ms since 1970 UTC). Raises MailUnavailable or MailRefused."""
        message = written(mail, self._sender, now)
        async with self._connected() as server:
            await self._send(server, message, mail.recipient)

    async def ask(self) -> None:
        """Asks the server what it offers. Raises MailUnavailable."""
        async with self._connected() as server:
            await server.ehlo()
            self.smtputf8 = server.supports_extension("smtputf8")

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[aiosmtplib.SMTP]:
        """A connection to the server. Raises MailUnavailable for whatever goes wrong with it."""
        server = aiosmtplib.SMTP(
            hostname=self._host,
            port=self._port,
            username=self._user,
            password=self._password,
            use_tls=self._tls,
            timeout=TIMEOUT,
        )
        try:
            async with server:
                yield server
        except (aiosmtplib.SMTPException, OSError) as error:
            raise MailUnavailable(cleaned(str(error)) or type(error).__name__) from error

    async def _send(self, server: aiosmtplib.SMTP, message: EmailMessage, recipient: str) -> None:
        """Sends the message. A 5xx about the recipient or the text refuses the mail; one about the sender lets all
        mails wait."""
        try:
            await server.send_message(message, sender=self._sender.addr_spec, recipients=[recipient])
        except aiosmtplib.SMTPNotSupported as error:
            raise MailRefused(cleaned(str(error))) from error
        except aiosmtplib.SMTPRecipientsRefused as error:
            _refuse(error.recipients[0].code, error.recipients[0].message)
            raise
        except aiosmtplib.SMTPDataError as error:
            _refuse(error.code, error.message)
            raise


def written(mail: Mail, sender: Address, now: int) -> EmailMessage:
    """The mail in the form of RFC 5322. Raises MailRefused when a header would have a character that is not allowed."""
    if not (mail.subject.isprintable() and mail.order_id.isascii() and mail.order_id.isprintable()):
        raise MailRefused(f"{mail.subject!r} or {mail.order_id!r} cannot stand in a header")
    message = EmailMessage(policy=policy.SMTP)
    message["From"] = sender
    message["To"] = _address(mail.recipient)
    message["Subject"] = mail.subject
    message["Message-ID"] = message_id(mail)
    message["Date"] = datetime.fromtimestamp(now // 1000, UTC)
    message.set_content(mail.text)
    return message


def _address(text: str) -> Address:
    """Exactly one address without a name. A domain of other letters stands in it as ``xn--…``. Raises MailRefused."""
    local, _, domain = text.rpartition("@")
    try:
        if not local.isascii() and domain.isascii() and not addresses.fault(text):
            return Address(username=local, domain=domain)  # addr_spec takes ASCII only
        address = Address(addr_spec=text)
    except (ValueError, IndexError, HeaderParseError, MessageDefect) as error:
        raise MailRefused(f"{text!r} is not one e-mail address") from error
    if not text.isascii() or address.addr_spec != text:
        raise MailRefused(f"{text!r} is not one e-mail address with its domain in ASCII")
    return address


def _refuse(code: int, message: str) -> None:
    if 500 <= code < 600:
        raise MailRefused(cleaned(f"{code} {message}"))
