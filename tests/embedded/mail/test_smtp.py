"""Mails handed to a real SMTP server on loopback."""

import asyncio
from collections.abc import Iterator
from email.headerregistry import Address

import msgspec
import pytest

from demo.behaviour import LOSSES, Act
from demo.mailserver import MailServer, receiving
from demo.serving import listening
from expediter.app.mails import message_id
from expediter.app.ports import Mail
from expediter.domain.order import Status
from expediter.embedded.mail.smtp import Mailer, MailRefused, MailUnavailable, written

NOW = 1_754_049_600_123
MAIL = Mail(
    order_id="0198653a-1234-7abc-8def-0123456789ab",
    status=Status.CANCELLED,
    recipient="customer@example.com",
    subject="Orders-App: Update for order 0198653a-1234-7abc-8def-0123456789ab",
    text="Your order is cancelled.\n\nReason: Grüße ✓\n.\n..\nFrom here on\n" + "x" * 2000 + "\n",
)


@pytest.fixture
def server() -> MailServer:
    return MailServer()


@pytest.fixture
def url(server: MailServer) -> Iterator[str]:
    with receiving(server) as url:
        yield url


def deliver(url: str, *mails: Mail) -> None:
    async def one_by_one() -> None:
        mailer = Mailer(url)
        for mail in mails:
            await mailer.deliver(mail, NOW)

    asyncio.run(one_by_one())


def to(recipient: str) -> Mail:
    return msgspec.structs.replace(MAIL, recipient=recipient)


# ── what arrives ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_mail_arrives_with_its_headers_and_every_letter_of_its_text(server: MailServer, url: str) -> None:
    deliver(url, MAIL)

    (mail,) = server.mails
    assert mail.message_id == message_id(MAIL)
    assert mail.sender == "orders@expediter.local"
    assert mail.to == ("customer@example.com",)
    assert mail.subject == MAIL.subject
    assert mail.date == "Fri, 01 Aug 2025 12:00:00 +0000"
    assert mail.text.replace("\r\n", "\n") == MAIL.text


def test_the_same_mail_has_the_same_message_id_at_every_try_and_another_recipient_another(
    server: MailServer, url: str
) -> None:
    deliver(url, MAIL, MAIL, to("operator@example.com"))

    first, again, other = [mail.message_id for mail in server.mails]
    assert first == again != other


def test_a_message_id_longer_than_a_line_goes_out_as_it_is(server: MailServer, url: str) -> None:
    long = to("a" * 64 + "@" + "b" * 60 + "." + "c" * 60 + ".example")

    deliver(url, long)

    assert server.mails[0].to == (long.recipient,)
    assert server.mails[0].message_id == message_id(long)
    raw = written(long, Address(addr_spec="orders@example.com"), NOW).as_bytes()
    assert f"\r\nMessage-ID: {message_id(long)}\r\n".encode() in raw


def test_the_sender_can_be_named_in_the_url(server: MailServer, url: str) -> None:
    deliver(f"{url}?from=kitchen%2Borders@example.com", MAIL)

    assert server.mails[0].sender == "kitchen+orders@example.com"


def test_user_and_password_of_the_url_log_in() -> None:
    server = MailServer(login=("us er", "p@ss:word"))
    with receiving(server) as url:
        deliver(url.replace("//", "//us%20er:p%40ss%3Aword@"), MAIL)
        assert len(server.mails) == 1


# ── headers cannot be injected ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "recipient",
    [
        "",
        "nobody",
        "a@example.com\r\nBcc: thief@example.com",
        "a@example.com\nBcc: thief@example.com",
        "a@example.com, thief@example.com",
        "a@example.com;thief@example.com",
        "<a@example.com> thief@example.com",
        "A <a@example.com>",
        "(a)b@example.com",
        "a\t@example.com",
        "a@example\u2028.com",
        "a\x00@example.com",
        "ä@example.com",
        "a@exämple.com",
    ],
)
def test_a_recipient_that_is_not_exactly_one_address_is_refused(server: MailServer, url: str, recipient: str) -> None:
    with pytest.raises(MailRefused):
        deliver(url, to(recipient))

    assert server.mails == []


@pytest.mark.parametrize("evil", ["x\r\nBcc: thief@example.com", "x\nX: y", "x\ry", "x\x00", "x\u2028y", "x\x85y"])
@pytest.mark.parametrize("field", ["subject", "order_id"])
def test_nothing_in_a_mail_can_add_a_header(server: MailServer, url: str, field: str, evil: str) -> None:
    with pytest.raises(MailRefused):
        deliver(url, msgspec.structs.replace(MAIL, **{field: evil}))

    assert server.mails == []


def test_a_text_that_looks_like_headers_stays_text(server: MailServer, url: str) -> None:
    deliver(url, msgspec.structs.replace(MAIL, text="Bcc: thief@example.com\r\n.\r\nRCPT TO:<thief@example.com>\r\n"))

    assert len(server.mails) == 1
    assert server.mails[0].to == ("customer@example.com",)


# ── what does not arrive ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_mailbox_that_does_not_exist_is_refused_for_good(url: str) -> None:
    with pytest.raises(MailRefused, match=r"550 5\.1\.1"):
        deliver(url, to("anyone@unknown.invalid"))


def test_a_mail_that_the_server_does_not_want_is_refused_for_good(server: MailServer, url: str) -> None:
    server.script(Act.REFUSE)

    with pytest.raises(MailRefused, match=r"554 5\.6\.0"):
        deliver(url, MAIL)


def test_a_mail_that_the_server_does_not_want_now_can_be_sent_again(server: MailServer, url: str) -> None:
    server.script(Act.FAIL)

    with pytest.raises(MailUnavailable, match=r"4\.3\.0"):
        deliver(url, MAIL)
    deliver(url, MAIL)

    assert len(server.mails) == 1


@pytest.mark.parametrize("loss", LOSSES)
def test_a_mail_whose_acceptance_got_lost_comes_again_under_the_same_message_id(
    server: MailServer, url: str, loss: Act
) -> None:
    server.script(loss)

    with pytest.raises(MailUnavailable):
        deliver(url, MAIL)
    deliver(url, MAIL)

    assert [mail.message_id for mail in server.mails] == [message_id(MAIL)] * 2


@pytest.mark.parametrize(("login", "code"), [("user:wrong@", "535"), ("", "530")])
def test_a_wrong_or_missing_password_is_our_fault_and_the_mail_waits(login: str, code: str) -> None:
    with receiving(MailServer(login=("user", "right"))) as url, pytest.raises(MailUnavailable, match=code):
        deliver(url.replace("//", f"//{login}"), MAIL)


def test_a_server_that_is_not_there_is_asked_again_later() -> None:
    with listening() as listener:
        port = listener.getsockname()[1]

    with pytest.raises(MailUnavailable):
        deliver(f"smtp://127.0.0.1:{port}", MAIL)


@pytest.mark.parametrize(
    "url", ["", "mail.example", "http://mail.example", "smtp://", "smtp://mail.example?from=nobody", "smtp://m:x"]
)
def test_another_kind_of_url_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the next test reads the message
        Mailer(url)


def test_the_refusal_of_a_url_says_what_is_allowed() -> None:
    with pytest.raises(ValueError, match="give smtp://host:port or smtps://"):
        Mailer("http://mail.example")
