"""What commands print: tables for people, JSON for programs. The JSON has the shapes of the REST API."""

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from expediter.api.render import EntryView, LetterView, MailView, OrderView
from expediter.cli.reading import AuditPage, LetterPage, MailPage, OrderPage, Reconciliation, WholeOrder
from expediter.domain import ledger
from expediter.domain.money import decimal, money
from expediter.domain.order import Status

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


def json_line(value: object) -> None:
    """The value as a line of JSON."""
    sys.stdout.flush()
    sys.stdout.buffer.write(msgspec.json.encode(value) + b"\n")
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


def orders(page: OrderPage, *, as_json: bool) -> None:
    if as_json:
        _json(page)
        return
    rows = [
        (o.id, status(o.order_status), money(o.total, o.currency), o.user_id, o.restaurant_id, o.created_at)
        for o in page.items
    ]
    out().print(table("id", "status", "total#", "user", "restaurant", "accepted", rows=rows))
    if page.cursor:
        out().print(f"More: --cursor {page.cursor}")


def order(found: WholeOrder, *, as_json: bool) -> None:
    if as_json:
        _json(found)
        return
    to = out()
    to.print(_facts(found.order))
    to.print()
    if found.ledger:
        to.print(table("money", "amount#", "at", "provider's id", rows=map(_money_row, found.ledger)))
    else:
        to.print("No money moved.")
    to.print()
    if found.mails:
        rows = [(it.recipient, it.status, it.at, _sent(it)) for it in found.mails]
        to.print(table("mail", "about", "at", "sent", rows=rows))
        to.print()
    if found.pruned:
        to.print("Its workflow's history and mails were taken away: they were old, or its customer was erased.")
    else:
        to.print(table(*EVENT_COLUMNS, rows=event_rows(found.timeline)))


def _facts(found: OrderView) -> Table:
    lines = ", ".join(
        f"{item.quantity} x {item.name} at {money(item.unit_price, found.currency)}" for item in found.items
    )
    rows: list[tuple[str, str | Text]] = [
        ("order", found.id),
        ("status", status(found.order_status)),
        ("user", found.user_id),
        ("restaurant", found.restaurant_id),
        ("items", lines),
        ("total", money(found.total, found.currency)),
        ("accepted", found.created_at),
        ("changed", found.updated_at),
    ]
    if found.error_message:
        rows.append(("reason", found.error_message))
    return _facts_table(rows)


def _facts_table(rows: Iterable[tuple[str, str | Text]]) -> Table:
    facts = table("", "", rows=rows)
    facts.show_header = False
    return facts


def _money_row(entry: EntryView) -> tuple[str, str, str, str]:
    signed = ledger.signed(entry.kind, entry.amount)
    return entry.kind.value, money(signed, entry.currency), entry.at, entry.reference or ""


# ── mails ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def mails(page: MailPage, *, as_json: bool) -> None:
    if as_json:
        _json(page)
        return
    rows = [(it.order_id, it.recipient, it.status, it.at, _sent(it)) for it in page.items]
    out().print(table("order", "to", "about", "at", "sent", rows=rows) if rows else "No mails.")
    if page.cursor:
        out().print(f"More: --cursor {page.cursor}")


def mails_of(found: Sequence[MailView], *, as_json: bool) -> None:
    if as_json:
        _json({"items": found})
        return
    if not found:
        out().print("No mails.")
    for mail in found:
        rows = [("to", mail.recipient), ("subject", mail.subject), ("at", mail.at), ("sent", _sent(mail))]
        out().print(_facts_table(rows))
        sys.stdout.write(f"\n{mail.text}\n")


def _sent(mail: MailView) -> str:
    """When the mail was sent, or why it was not."""
    problem = f"given up: {mail.problem}" if mail.given_up_at is not None else mail.problem
    kept = "waits to be sent" if mail.next_at is not None else "kept here: no mail server is set"
    return mail.sent_at or problem or kept


# ── workflows ─────────────────────────────────────────────────────────────────────────────────────────────────────

EVENT_COLUMNS = ("no#", "at", "event", "state", "try", "says")


def event_rows(timeline: Iterable[dict[str, Any]]) -> Iterable[tuple[str, str, str, str, str, str]]:
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
        yield str(event["id"]), event["at"], event["type"], state, attempt, _says(details)
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


def letters(found: LetterPage, *, as_json: bool) -> None:
    if as_json:
        _json(found)
        return
    rows = [
        (it.id, it.attributes.get("order_id", ""), str(it.receive_count), it.died_at, it.reason) for it in found.items
    ]
    out().print(table("id", "order", "receives#", "died", "reason", rows=rows) if rows else "No dead letters.")
    if found.cursor:
        out().print(f"{found.count} in all. More: --cursor {found.cursor}")


def letter(found: LetterView, *, as_json: bool) -> None:
    if as_json:
        _json(found)
        return
    facts = msgspec.to_builtins(found)
    body, attributes = facts.pop("body"), facts.pop("attributes")
    out().print(_facts_table([(name, str(value)) for name, value in {**facts, **attributes}.items()]))
    sys.stdout.write(f"\n{body}\n")


# ── money ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def reconciliation(found: Reconciliation, against: str | None, *, as_json: bool) -> None:
    clean = not found.offenders_count
    if as_json:
        sums = [{**msgspec.to_builtins(sum_), "held": sum_.held} for sum_ in found.currencies]
        _json({"clean": clean, "currencies": sums, "offenders": found.offenders})
        return
    rows = [
        (
            it.currency,
            str(it.orders),
            *(decimal(sum_, it.currency) for sum_ in (it.charges, it.refunds, it.disputed, it.held, it.expected)),
        )
        for it in found.currencies
    ]
    to = out()
    columns = ("currency", "orders#", "charges#", "refunds#", "disputed#", "held#", "should be held#")
    to.print(table(*columns, rows=rows))
    to.print()
    if clean:
        whose = f"our ledger and the records of {against}" if against else "our ledger"
        to.print(f"Clean: every cent is accounted for in {whose}.")
        return
    listed = found.offenders[:SHOWN]
    to.print(table("order", "what is wrong", rows=[(it.order_id, it.problem) for it in listed]))
    more = len(found.offenders) - len(listed)
    to.print(f"{found.offenders_count} offenders." + (f" --json lists {more} more." if more else ""))


_json = as_json


def audit(page: AuditPage, *, as_json: bool) -> None:
    if as_json:
        _json(page)
        return
    rows = [
        (it.at, it.who or "somebody", f"{it.kind} {it.detail}".strip(), it.subject, it.via, it.address)
        for it in page.items
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
