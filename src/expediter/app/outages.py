"""The texts about an outage: in the answer of ``/readyz``, and in the mail to operators."""

from expediter.app.instants import instant
from expediter.app.ports import Mail, OrderSettings
from expediter.domain.outage import Outage

#: Of each outage: what it is, and what to do.
TEXTS: dict[Outage, tuple[str, str]] = {
    Outage.FILE_DAMAGED: (
        "The database file is damaged, so no orders are taken.",
        "Stop the server, keep the data folder as it is, and restore the last backup or repair the file.",
    ),
    Outage.FILE_REPLACED: (
        "The database file was removed or replaced while the server had it open, so no orders are taken.",
        "Copy the old file and its -wal from /proc/PID/fd, stop the server, and put the copy or the last backup there.",
    ),
    Outage.FILE_UNWRITABLE: (
        "Nothing can be written: the disk is full or fails, or the data folder is read-only.",
        "Make room or repair it; the server goes on by itself.",
    ),
    Outage.FILE_LOCKED: (
        "Another program has locked the database file, so nothing can be written.",
        "End it, or its transaction; the server goes on by itself.",
    ),
}


def text(outage: Outage) -> str:
    """What it is and what to do, in two sentences."""
    return " ".join(TEXTS[outage])


def outage_mails(outage: Outage, since: int, settings: OrderSettings) -> tuple[Mail, ...]:
    """The mails to the operators about this outage, which began at ``since`` (ms since 1970 UTC)."""
    what, help_ = TEXTS[outage]
    lines = [what, help_, "", f"Since: {instant(since)}", "No order that was accepted is given up.", ""]
    subject = "Orders-App: The server takes no orders"
    return tuple(
        Mail(f"server.{since}", outage, recipient, subject, "\n".join(lines))
        for recipient in dict.fromkeys(settings.notify)
    )
