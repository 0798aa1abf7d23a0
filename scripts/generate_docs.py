"""Writes the generated parts of docs/reference, between ``<!-- generated: NAME -->`` and ``<!-- end -->``.

python scripts/generate_docs.py          writes them
python scripts/generate_docs.py --check  names the files that would change; 1 when there are some
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))  # this file runs by its path, and has parts beside it
os.environ |= {"TERMINAL_WIDTH": "100", "COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}  # read when typer is loaded

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from typer.testing import CliRunner

from expediter import contracts
from expediter.api.access import NEEDS, Need
from expediter.api.errors import STATUSES
from expediter.app.access import CUSTOMER, GROUPS, ROLES, Role, Scope
from expediter.app.tasks.order import TASKS
from expediter.cli.app import app
from expediter.cli.costs.prices import PRICES
from expediter.cli.setting_meanings import MEANINGS
from expediter.console.routes import LIVE, ROUTES
from expediter.domain import errors as domain
from expediter.domain.errors import OrderError
from expediter.domain.order import TRANSITIONS
from expediter.embedded.operator.prometheus import COUNTERS, GAUGES, HISTOGRAMS, OUTAGE, SIMULATED
from expediter.embedded.settings import defaults
from scripts.limits_table import LIMITS

FOLDER = Path(__file__).parent.parent / "docs" / "reference"
_PART = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def rest() -> str:
    document = json.loads(contracts.read("openapi.json"))
    rows = [
        (f"`{method.upper()} {path}`", operation["summary"], ", ".join(sorted(operation["responses"])))
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    return table(("call", "does", "answers"), rows)


def graphql() -> str:
    return fenced("graphql", contracts.read("schema.graphql").decode())


def cli() -> str:
    return "\n".join(f"## `{' '.join(words)}`\n\n{fenced('text', help_of(words))}" for words in commands())


def commands() -> Iterator[tuple[str, ...]]:
    """Every command that can be typed, as words."""
    yield ("expediter",)
    for command in names(help_of(("expediter",))):
        words = ("expediter", command)
        yield words
        yield from ((*words, below) for below in names(help_of(words)))


def help_of(words: tuple[str, ...]) -> str:
    shown = CliRunner().invoke(app, [*words[1:], "--help"], prog_name="expediter", catch_exceptions=False)
    return "\n".join(line.rstrip() for line in shown.stdout.strip().splitlines())


def names(help_text: str) -> list[str]:
    """The commands that a help text lists."""
    _, listed, panel = help_text.partition("Commands")
    return re.findall(r"^│ ([a-z]+)  ", panel, re.MULTILINE) if listed else []


def settings() -> str:
    read = defaults()
    if missing := {name.removeprefix("EXPEDITER_") for name in read} ^ MEANINGS.keys():
        raise SystemExit(f"Say in cli/setting_meanings.py what these settings mean, or drop them: {missing}")
    rows = [
        (f"`{name}`", f"`{default}`" if default else "unset", MEANINGS[name.removeprefix("EXPEDITER_")])
        for name, default in read.items()
    ]
    return table(("setting", "default", "meaning"), rows)


def transitions() -> str:
    rows = [
        (f"`{status}`", ", ".join(f"`{it}`" for it in TRANSITIONS if it in following) or "the end")
        for status, following in TRANSITIONS.items()
    ]
    return table(("from", "to"), rows)


def errors() -> str:
    inside = [it for it in vars(domain).values() if isinstance(it, type) and issubclass(it, OrderError)]
    every = dict.fromkeys([*STATUSES, *(it for it in inside if it is not OrderError)])
    rows = [(f"`{it.__name__}`", str(STATUSES.get(it, "")), " ".join((it.__doc__ or "").split())) for it in every]
    return table(("error", "HTTP", "what to do"), rows)


def states() -> str:
    definition = json.loads(contracts.read("order.asl.json"))
    rows = [
        (f"{name}<br>{state['Type']}", state.get("Comment", ""), leads_to(state), retried(state))
        for name, state in definition["States"].items()
    ]
    return table(("state", "does", "next", "beyond its retries"), rows)


def leads_to(state: dict[str, object]) -> str:
    choices = state.get("Choices")
    found = [str(choice["Next"]) for choice in choices] if isinstance(choices, list) else []
    found += [str(state[name]) for name in ("Next", "Default") if name in state]
    return ", else ".join(found) or "end"


def retried(state: dict[str, object]) -> str:
    retry, catch = state.get("Retry"), state.get("Catch")
    if not isinstance(retry, list) or not isinstance(catch, list):
        return ""
    return f"{retry[-1]['MaxAttempts']} retries, then {catch[0]['Next']}"


def tasks() -> str:
    return ", ".join(f"`{name}`" for name in TASKS) + ".\n"


def metrics() -> str:
    rows = [
        (f"`{name}`", kind, ", ".join(f"`{label}`" for label in family.labels), family.help)
        for kind, families in (("counter", COUNTERS), ("histogram", HISTOGRAMS), ("gauge", OUTAGE | SIMULATED | GAUGES))
        for name, family in families.items()
    ]
    return table(("metric", "kind", "labels", "meaning"), rows)


def prices() -> str:
    rows = [
        (
            unit,
            f"{price.dollars * 1_000_000:g}" if price.dollars < 0.01 else f"{price.dollars:g} each",
            f"<{price.page}>",
            price.checked,
        )
        for unit, price in PRICES.items()
    ]
    return table(("unit", "dollars a million", "AWS's page", "checked by"), rows)


def limits() -> str:
    return table(("limit", "value", "beyond it"), LIMITS)


def operation_scopes() -> str:
    """Every operation of REST, field of GraphQL and page of the console, with what it needs."""
    document = json.loads(contracts.read("openapi.json"))
    where = {
        operation["operationId"]: f"`{method.upper()} {path}`"
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    rows = [(where.get(name, f"`{name}`"), _needed(need)) for name, need in NEEDS.items()]
    rows += [(f"`{method} {path}`", _needed(route.need)) for (method, path), route in ROUTES.items()]
    rows += [(f"`GET /console/live/{name}`", _needed(need)) for name, need in LIVE.items()]
    return table(("operation", "needs"), rows)


def _needed(need: Need) -> str:
    return {"token": "a token, whatever its scopes", "nothing": "nothing"}.get(need, f"`{need}`")


def roles() -> str:
    groups = {role: [f"`{group}`" for group, its in GROUPS.items() if its is role] for role in Role}
    rows = [
        (f"`{scope}`", *("yes" if scope in ROLES[role] else "" for role in Role), *_customers(scope)) for scope in Scope
    ]
    named = ("in the groups", *(", ".join(groups[role]) for role in Role), "of no operators' group")
    return table(("scope", *Role, "customer"), [*rows, named])


def _customers(scope: Scope) -> tuple[str]:
    return ("own orders",) if scope in CUSTOMER else ("",)


def ceilings() -> str:
    """What scripts/simulate_dynamodb.py found."""
    rows = [
        (it["pattern"], f"`{it['key']}`", f"{it['units']:g}", f"{it['ceiling']:,}") for it in _simulated()["patterns"]
    ]
    return table(("what is done", "hottest key in", "its units each time", "how often a second"), rows)


def units() -> str:
    found = _simulated()
    wanted, quota = found["wanted"], found["quota"]
    rows = [
        (f"`{name}`", f"{it:g}", f"{it * wanted:,.0f}", "yes" if it * wanted > quota else "")
        for name, it in found["units"].items()
    ]
    return table(("table or index", "an order", f"{wanted:,} orders a second", f"more than {quota:,}"), rows)


def _simulated() -> Any:  # noqa: ANN401  # JSON
    return json.loads((FOLDER.parent / "measured/dynamodb.json").read_text(encoding="utf-8"))


PARTS: dict[str, Callable[[], str]] = {
    "rest": rest,
    "operation_scopes": operation_scopes,
    "roles": roles,
    "graphql": graphql,
    "cli": cli,
    "settings": settings,
    "transitions": transitions,
    "errors": errors,
    "states": states,
    "tasks": tasks,
    "metrics": metrics,
    "prices": prices,
    "ceilings": ceilings,
    "units": units,
    "limits": limits,
}


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def fenced(language: str, text: str) -> str:
    return f"```{language}\n{text.rstrip()}\n```\n"


def written(text: str) -> str:
    """The page with its generated parts as they have to be now."""
    return _PART.sub(lambda found: f"{found[1]}\n{PARTS[found[2]]()}\n{found[3]}", text)


def main(arguments: list[str]) -> int:
    changed = []
    for page in sorted(FOLDER.glob("*.md")):
        before = page.read_text(encoding="utf-8")
        after = written(before)
        if after != before:
            changed.append(page)
            if "--check" not in arguments:
                page.write_text(after, encoding="utf-8")
    stale = "stale, run: python scripts/generate_docs.py" if "--check" in arguments else "written"
    for page in changed:
        print(f"{page.relative_to(FOLDER.parent.parent)}: {stale}")
    return 1 if changed and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
