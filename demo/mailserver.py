"""An SMTP server on loopback that keeps every mail it takes. ``python -m demo.mailserver --help``"""

import asyncio
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email import message_from_bytes, policy
from pathlib import Path

import msgspec
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from demo.behaviour import ANY, GOOD, LOSSES, Act, Behaviour, Shares, options, shares
from demo.journal import Journal
from demo.serving import listening

#: Nobody lives there: refused before the mail is sent.
UNKNOWN = "@unknown.invalid"

#: What the server says to a mail that is not simply taken.
_SAYS = {
    Act.REFUSE: "554 5.6.0 This mail is not wanted",
    **dict.fromkeys((Act.FAIL, *LOSSES), "451 4.3.0 Try again later"),
}


class Received(msgspec.Struct, frozen=True):
    """A mail that was taken; ``to`` is who the envelope is for."""

    message_id: str
    sender: str
    to: tuple[str, ...]
    subject: str
    date: str
    text: str


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """One try to hand a mail over, and the mail if it was taken."""

    key: str
    tries: int
    act: Act
    mail: Received | None = None


class MailServer:
    """``mails`` are those taken, in order, the same twice if it came twice. ``login`` (user, password) is asked for.

    ``smtputf8``: whether it offers SMTPUTF8.
    """

    def __init__(
        self,
        record: Path | None = None,
        shares: Shares = GOOD,
        login: tuple[str, str] | None = None,
        *,
        smtputf8: bool = False,
    ) -> None:
        self.mails: list[Received] = []
        self._smtputf8 = smtputf8
        self._login = login
        self._behaviour = Behaviour(shares)
        self._journal = Journal(record, Line)
        for line in self._journal.read():
            self._behaviour.tried(line.key, line.tries)
            self.mails += [line.mail] if line.mail else []

    def script(self, *acts: Act, recipient: str = ANY) -> None:
        """What happens to the next mails to the recipient: OK, REFUSE, FAIL, or any LOSSES (takes it, then says no)."""
        self._behaviour.script("mail", recipient, acts)

    def close(self) -> None:
        self._journal.close()

    def session(self) -> SMTP:
        return SMTP(
            self,
            hostname="localhost",
            auth_require_tls=False,
            authenticator=self._authenticate,
            enable_SMTPUTF8=self._smtputf8,
        )

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, _: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._login and not session.authenticated:
            return "530 5.7.0 Log in first"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]
    ) -> str:
        if address.endswith(UNKNOWN):
            return "550 5.1.1 There is no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        mail = _read(envelope)
        key = f"{mail.to[0]}/{mail.message_id}"
        tries, act = self._behaviour.next("mail", key)
        taken = act not in (Act.REFUSE, Act.FAIL)
        self._journal.write(Line(key, tries, act, mail if taken else None))
        self.mails += [mail] if taken else []
        return _SAYS.get(act, "250 OK")

    def _authenticate(self, _: SMTP, __: Session, ___: Envelope, mechanism: str, data: object) -> AuthResult:
        if not isinstance(data, LoginPassword) or mechanism not in ("LOGIN", "PLAIN"):
            return AuthResult(success=False, handled=False)
        given = (data.login.decode(), data.password.decode())
        return AuthResult(success=given == self._login, handled=False)


def _read(envelope: Envelope) -> Received:
    content = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
    message = message_from_bytes(content, policy=policy.default)
    return Received(
        message_id=str(message["Message-ID"]),
        sender=str(message["From"]),
        to=tuple(envelope.rcpt_tos),
        subject=str(message["Subject"]),
        date=str(message["Date"]),
        text=str(message.get_content()),
    )


async def _serve(server: MailServer, socket_: socket.socket, end: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(server.session, sock=socket_)
    with suppress(NotImplementedError, ValueError, RuntimeError):  # only a process's main thread hears signals
        loop.add_signal_handler(signal.SIGTERM, end.set)
        loop.add_signal_handler(signal.SIGINT, end.set)
    await end.wait()
    listener.close()


@contextmanager
def receiving(server: MailServer) -> Iterator[str]:
    """The server's URL (``smtp://…``) while it takes mails in a thread."""
    with listening() as listener, asyncio.Runner() as runner:
        end = asyncio.Event()
        loop = runner.get_loop()
        thread = threading.Thread(target=lambda: runner.run(_serve(server, listener, end)), daemon=True)
        thread.start()
        try:
            yield _url(listener)
        finally:
            loop.call_soon_threadsafe(end.set)
            thread.join()
            server.close()


def _url(listener: socket.socket) -> str:
    return f"smtp://127.0.0.1:{listener.getsockname()[1]}"


def main() -> None:
    given = options("An SMTP server on loopback").parse_args()
    server = MailServer(given.record, shares(given))
    with listening(given.port) as listener:
        print(f"listening on {_url(listener)}", flush=True)
        asyncio.run(_serve(server, listener, asyncio.Event()))
    server.close()


if __name__ == "__main__":
    main()
