"""The timeline of an order: the states of its workflow, errors, mails, and the actions of operators."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from expediter.app.operator.services import AuditEntry, Posted
from expediter.app.operator.steps import VisitedState
from expediter.console import words
from expediter.domain.ledger import EntryKind, LedgerEntry
from expediter.domain.money import money as money_text
from expediter.domain.refunds import Dispute


class Moment(NamedTuple):
    """One line. ``tone``: go, bad, act, mail, end or empty; ``state``: the state it is about."""

    at: int
    title: str
    detail: str = ""
    tone: str = ""
    state: str = ""


def moments(
    events: Iterable[dict[str, Any]],
    steps: Iterable[VisitedState],
    audit: Iterable[AuditEntry],
    mails: Iterable[Posted],
    *,
    money: Iterable[Moment] = (),
) -> list[Moment]:
    """All moments of the order, oldest first. ``money``: see ``moments_of_money``."""
    lines = [line for event in events if (line := _of_event(event))]
    lines += [Moment(entry.at, f"{entry.who} {entry.kind}", entry.detail, "act") for entry in audit]
    lines += money
    for posted in mails:
        lines.append(Moment(posted.at, "Mail posted", f"to {posted.mail.recipient}", "mail"))
        if posted.given_up_at is not None:
            lines.append(
                Moment(posted.given_up_at, "Mail given up", f"to {posted.mail.recipient}: {posted.problem}", "bad")
            )
        if posted.sent_at is not None:
            lines.append(Moment(posted.sent_at, "Mail sent", f"to {posted.mail.recipient}", "mail"))
    retried = {step.name: step for step in steps if step.outcome == "current" and step.errors}
    lines += [
        Moment(step.errors[-1].at, f"{name} is tried again", f"{step.tries} tries so far", "", name)
        for name, step in retried.items()
    ]
    return sorted(lines, key=lambda line: line.at)


#: What the timeline says of movements that no state of the workflow makes, and their tone.
_MONEY = {
    EntryKind.REFUND: ("Money given back", "go"),
    EntryKind.REFUND_FAILED: ("A refund came back", "bad"),
    EntryKind.DISPUTE_WON: ("A dispute was won", "go"),
}


def moments_of_money(entries: Iterable[LedgerEntry], disputes: Iterable[Dispute]) -> list[Moment]:
    lines = [Moment(it.at, "The payment is disputed", f"{it.reason}, {it.status}", "bad") for it in disputes]
    for entry in entries:
        if entry.kind in _MONEY:
            title, tone = _MONEY[entry.kind]
            lines.append(Moment(entry.at, title, money_text(entry.amount, entry.currency), tone))
    return lines


def _of_event(event: dict[str, Any]) -> Moment | None:
    kind, details, at = event["type"], event["details"], event["at"]
    if kind.endswith("StateEntered"):
        return Moment(at, details["name"], "", "go", details["name"])
    if kind.startswith("Execution"):
        return _of_execution(kind, details, at)
    if kind.endswith(("Failed", "TimedOut")):
        name = details.get("error") or ("States.Timeout" if kind.endswith("TimedOut") else kind)
        return Moment(at, name, details.get("cause") or "", "bad")
    return None


def _of_execution(kind: str, details: dict[str, Any], at: int) -> Moment:
    if kind == "ExecutionRedriven":
        return Moment(at, "Workflow retried", f"from {details['state']}", "act")
    if kind == "ExecutionStarted":
        return Moment(at, "Workflow started")
    ended = kind.removeprefix("Execution")
    good = ended == "Succeeded"
    said = details.get("error") or ""
    return Moment(at, f"Workflow {'ended' if good else words.spaced(ended)}", said, "end" if good else "bad")
