"""What commands print: tables for people, JSON for programs. The JSON has the shapes of the REST API."""

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from expediter.api.render import letter_view, order_view
from expediter.app.instants import instant
from expediter.app.operator.operations import Letters, Timeline
from expediter.app.operator.reconcile import Report
from expediter.app.operator.services import AuditEntry, Posted
from expediter.app.ports import DeadLetter, Page
from expediter.domain.ledger import LedgerEntry
from expediter.domain.money import decimal, money
from expediter.domain.order import Order, Status

#: Offenders that people are shown; JSON holds all.
SHOWN = 20
_COLOURS = {
    Status.PENDING: "yellow",
    Status.PAID: "cyan",
    Status.SUCCESS: "green",
    Status.FAILED: "red",
    Status.CANCELLED: "magenta",
    Status.REFUND_PENDING: "bold yellow",
}


def as_json(value: object) -> None:
    """The value as indented JSON."""
    text = msgspec.json.format(msgspec.json.encode(value), indent=2)
    sys.stdout.flush()
    sys.stdout.buffer.write(text + b"\n")  # JSON is UTF-8, whatever the terminal is
    sys.stdout.buffer.flush()


def out() -> Console:
    """The console for people. It is wide enough for an id and its line where the output is a file or a pipe."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else 160, soft_wrap=False)


def table(*columns: str, rows: Iterable[Sequence[str | Text]]) -> Table:
    """A plain table. A column whose name ends in ``#`` is aligned right. Cells are text, never markup."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column.rstrip("#"), justify="right" if column.endswith("#") else "left", overflow="fold")
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
    return made


def status(value: Status) -> Text:
    return Text(value.value, style=_COLOURS[value])


# ── orders ────────────────────────────────────────────────────────────────────────────────────────────────────────


def orders(page: Page, *, as_json: bool) -> None:
    if as_json:
        _json({"items": [order_view(order) for order in page.items], "cursor": page.cursor})
        return
    rows = [
        (o.id, status(o.status), money(o.total, o.currency), o.user_id, o.restaurant_id, instant(o.created_at))
        for o in page.items
    ]
    out().print(table("id", "status", "total#", "user", "restaurant", "accepted", rows=rows))
    if page.cursor:
        out().print(f"More: --cursor {page.cursor}")


def order(
    found: Order,
    entries: tuple[LedgerEntry, ...],
    mails: tuple[Posted, ...],
    timeline: Timeline,
    *,
    as_json: bool,
) -> None:
    if as_json:
        events = [{**event, "at": instant(event["at"])} for event in timeline.events]
        ledger, posted = [_entry(entry) for entry in entries], [_mail(mail) for mail in mails]
        _json(
            {
                "order": order_view(found),
                "ledger": ledger,
                "mails": posted,
                "timeline": events,
                "pruned": timeline.pruned,
            }
        )
        return
    to = out()
    to.print(_facts(found))
    to.print()
    if entries:
        to.print(table("money", "amount#", "at", "provider's id", rows=_money_rows(entries)))
    else:
        to.print("No money moved.")
    to.print()
    if mails:
        to.print(table("mail", "about", "at", "sent", rows=_mail_rows(mails)))
        to.print()
    if timeline.pruned:
        to.print("Its workflow's history and mails were taken away: they were old, or its customer was erased.")
    else:
        to.print(table("no#", "at", "event", "state", "try", "says", rows=_event_rows(timeline.events)))


def _facts(found: Order) -> Table:
    lines = ", ".join(
        f"{item.quantity} x {item.name} at {money(item.unit_price, found.currency)}" for item in found.items
    )
    rows: list[tuple[str, str | Text]] = [
        ("order", found.id),
        ("status", status(found.status)),
        ("user", found.user_id),
        ("restaurant", found.restaurant_id),
        ("items", lines),
        ("total", money(found.total, found.currency)),
        ("accepted", instant(found.created_at)),
        ("changed", instant(found.updated_at)),
    ]
    if found.error_message:
        rows.append(("reason", found.error_message))
    rows += [
        (f"{kind}", f"{effect.result}, first tried {instant(effect.tried_at)}")
        for kind, effect in found.effects.items()
    ]
    facts = table("", "", rows=rows)
    facts.show_header = False
    return facts


def _money_rows(entries: tuple[LedgerEntry, ...]) -> list[tuple[str, str, str, str]]:
    return [(e.kind.value, money(e.signed, e.currency), instant(e.at), e.reference or "") for e in entries]


def _entry(entry: LedgerEntry) -> dict[str, Any]:
    return {**msgspec.to_builtins(entry), "at": instant(entry.at)}


def _mail(posted: Posted) -> dict[str, Any]:
    sent_at = instant(posted.sent_at) if posted.sent_at is not None else None
    given_up_at = instant(posted.given_up_at) if posted.given_up_at is not None else None
    told = {"at": instant(posted.at), "tries": posted.tries, "sent_at": sent_at, "problem": posted.problem}
    told["given_up_at"] = given_up_at
    return {**msgspec.to_builtins(posted.mail), **told}


def _mail_rows(mails: tuple[Posted, ...]) -> Iterable[tuple[str, str, str, str]]:
    for posted in mails:
        problem = f"given up: {posted.problem}" if posted.given_up_at is not None else posted.problem
        sent = instant(posted.sent_at) if posted.sent_at is not None else problem
        kept = "waits to be sent" if posted.next_at is not None else "kept here: no mail server is set"
        yield posted.mail.recipient, posted.mail.status, instant(posted.at), sent or kept


def _event_rows(timeline: list[dict[str, Any]]) -> Iterable[tuple[str, str, str, str, str, str]]:
    """One row per event. A state's second and later tries are counted, from the calls that it made."""
    state, tries = "", Counter[int]()
    entered = 0
    for event in timeline:
        details = event["details"]
        if event["type"].endswith("StateEntered"):
            state, entered = details["name"], event["id"]
        attempt = ""
        if event["type"] in ("LambdaFunctionScheduled", "TaskScheduled"):
            tries[entered] += 1
            attempt = str(tries[entered])
        yield str(event["id"]), instant(event["at"]), event["type"], state, attempt, _says(details)
        if event["type"].endswith("StateExited"):
            state = ""


def _says(details: dict[str, Any]) -> str:
    """What went wrong, or what a call gave."""
    if details.get("error"):
        return ": ".join(part for part in (details["error"], details.get("cause")) if part)
    if "output" in details and "name" not in details:
        return msgspec.json.encode(details["output"]).decode()[:80]
    return ""


# ── dead letters ──────────────────────────────────────────────────────────────────────────────────────────────────


def letters(found: Letters, *, as_json: bool) -> None:
    if as_json:
        _json({"items": list(map(letter_view, found.items)), "cursor": found.cursor, "count": found.count})
        return
    rows = [
        (it.id, it.attributes.get("order_id", ""), str(it.receive_count), instant(it.died_at), it.reason)
        for it in found.items
    ]
    out().print(table("id", "order", "receives#", "died", "reason", rows=rows) if rows else "No dead letters.")
    if found.cursor:
        out().print(f"{found.count} in all. More: --cursor {found.cursor}")


def letter(found: DeadLetter, *, as_json: bool) -> None:
    shown = letter_view(found)
    if as_json:
        _json(shown)
        return
    facts = msgspec.to_builtins(shown)
    body, attributes = facts.pop("body"), facts.pop("attributes")
    rows = [(name, str(value)) for name, value in {**facts, **attributes}.items()]
    facts_table = table("", "", rows=rows)
    facts_table.show_header = False
    out().print(facts_table)
    sys.stdout.write(f"\n{body}\n")


# ── money ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def report(found: Report, against: str | None, *, as_json: bool) -> None:
    if as_json:
        sums = [{**msgspec.to_builtins(sum_), "held": sum_.held} for sum_ in found.currencies]
        _json({"clean": found.clean, "currencies": sums, "offenders": found.offenders})
        return
    rows = [
        (
            it.currency,
            str(it.orders),
            *(decimal(sum_, it.currency) for sum_ in (it.charges, it.refunds, it.held, it.expected)),
        )
        for it in found.currencies
    ]
    to = out()
    to.print(table("currency", "orders#", "charges#", "refunds#", "held#", "should be held#", rows=rows))
    to.print()
    if found.clean:
        whose = f"our books and the records of {against}" if against else "our books"
        to.print(f"Clean: every cent is accounted for in {whose}.")
        return
    listed = found.offenders[:SHOWN]
    to.print(table("order", "what is wrong", rows=[(it.order_id, it.problem) for it in listed]))
    more = len(found.offenders) - len(listed)
    to.print(f"{len(found.offenders)} offenders." + (f" --json lists the other {more}." if more else ""))


_json = as_json


def audit(entries: Sequence[AuditEntry], *, as_json: bool) -> None:
    cursor = entries[-1].no if entries else None
    if as_json:
        shown = [{**msgspec.structs.asdict(entry), "at": instant(entry.at)} for entry in entries]
        _json({"items": shown, "cursor": cursor})
        return
    rows = [
        (instant(it.at), it.who or "somebody", f"{it.kind} {it.detail}".strip(), it.subject, it.via, it.address)
        for it in entries
    ]
    out().print(table("when", "who", "what", "about", "via", "from", rows=rows) if rows else "Nothing yet.")


def keys(items: Sequence[dict[str, Any]]) -> None:
    """Keys of programs, as ``GET /keys`` gives them."""
    rows = [
        (
            it["id"],
            it["name"],
            ", ".join(it["scopes"]),
            it["created_at"],
            it["last_used_at"] or "never",
            f"revoked {it['revoked_at']}" if it["revoked_at"] else it["expires_at"] or "",
        )
        for it in items
    ]
    out().print(table("id", "name", "scopes", "made", "last used", "end", rows=rows) if rows else "No keys.")
