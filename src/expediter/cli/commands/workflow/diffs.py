"""``expediter workflow diff``: what another definition would mean for orders under way on this one."""

from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from expediter.cli.api import Server, server
from expediter.cli.commands.workflow.changes import Changes, changes
from expediter.cli.commands.workflow.checks import only_valid
from expediter.cli.commands.workflow.options import chosen, ends
from expediter.cli.commands.workflow.reading.sources import Source
from expediter.cli.commands.workflow.reading.values import Unreadable
from expediter.cli.terms import AsJson, Data, Token, Url, counted


def diff(
    old: Annotated[str, typer.Argument(help="A definition; with --live also the number of a version")],
    new: Annotated[Path, typer.Argument(help="The definition that replaces it")],
    *,
    name: Annotated[str | None, typer.Option("--name", help="Which state machine of each template")] = None,
    live: Annotated[bool, typer.Option("--live", help="Ask a running server where its orders are")] = False,
    data: Data = None,
    url: Url = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Show what changes for orders under way; exit 1 when some need a state or a task that is gone.

    Orders keep the version that they began on, so none is moved: what is gone is what they still need there.
    """
    with ends(as_json=as_json):
        at = server(url, token, data) if live else None
        version, before = _old(old, name, at, as_json=as_json)
        after = _definition(new, name, as_json=as_json)
        found = changes(before, after)
        if at is not None and version is None:
            version = _version_of(before, at)
        states = _states(version, at) if at is not None and version is not None else None
    report = _report(found, version, states)
    if as_json:
        from expediter.cli import show

        show.as_json(report)
    else:
        typer.echo("\n".join(_lines(old, new, found, report)))
    raise typer.Exit(1 if _needed(found, states) else 0)


def _definition(path: Path, name: str | None, *, as_json: bool) -> dict[str, Any]:
    """A valid definition, as the server would store it: with the names of its tasks."""
    source = _source(path, name)
    only_valid(path, source, as_json=as_json)
    return _with_tasks(source)


def _source(path: Path, name: str | None) -> Source:
    """The state machine of that name. A file that is one definition has no name, and is taken as it is."""
    if name is not None:
        with suppress(Unreadable):
            only = chosen(path)
            if not only.name:
                return only
    return chosen(path, name)


def _with_tasks(source: Source) -> dict[str, Any]:
    from expediter.app.tasks.order import TASKS
    from expediter.asl import substitute

    found: dict[str, Any] = substitute(source.definition, {name: name for name in TASKS})
    return found


def _old(old: str, name: str | None, at: Server | None, *, as_json: bool) -> tuple[int | None, dict[str, Any]]:
    if at is not None and old.isascii() and old.isdigit():
        return int(old), at.fetch("GET", f"/workflow/versions/{old}", dict[str, Any])["definition"]
    return None, _definition(Path(old), name, as_json=as_json)


def _version_of(definition: dict[str, Any], at: Server) -> int:
    """The server's version of this definition. Raises Unreadable."""
    numbers = [one["version"] for one in at.fetch("GET", "/workflow/versions", dict[str, Any])["items"]]
    for number in numbers:
        if at.fetch("GET", f"/workflow/versions/{number}", dict[str, Any])["definition"] == definition:
            return int(number)
    listed = ", ".join(map(str, sorted(numbers)))
    raise Unreadable(f"The server has no version with the old definition. Name one of its versions: {listed}.")


def _states(version: int, at: Server) -> Counter[str]:
    """How many orders under way on the version are in each state."""
    found, after = Counter[str](), ""
    while True:
        page = at.fetch("GET", f"/workflow/versions/{version}/states{after}", dict[str, Any])
        found.update(page["states"])
        if page["cursor"] is None:
            return found
        after = f"?cursor={page['cursor']}"


def _needed(found: Changes, states: Counter[str] | None) -> bool:
    """Whether orders under way need what is gone; without a server any may."""
    lost = bool(found.gone or found.retyped or found.moved or found.tasks_gone)
    if states is None:
        return lost
    return any(found.stranding(state) for state in states) or bool(found.tasks_gone and states)


def _report(found: Changes, version: int | None, states: Counter[str] | None) -> dict[str, Any]:
    live = None if states is None else {"version": version, "states": _placed(found, states)}
    moved = found.moved.items()
    return {
        "machine": {"changed": found.machine},
        "states": {
            "gone": found.gone,
            "new": found.new,
            "changed": found.changed,
            "renamed": found.renamed,
            "moved": {name: {"from": before or None, "to": after or None} for name, (before, after) in moved},
        },
        "tasks": {"gone": found.tasks_gone, "new": found.tasks_new},
        "orders": live,
        "keep": _keep(found, version),
    }


def _placed(found: Changes, states: Counter[str]) -> list[dict[str, Any]]:
    return [
        {"state": state, "orders": count, "stranded": found.stranding(state)} for state, count in states.most_common()
    ]


def _keep(found: Changes, version: int | None) -> list[str]:
    """What to do so that every order comes to its end."""
    old = "the old version" if version is None else f"version {version}"
    steps = [
        "expediter workflow publish NEW: it becomes a version, on which no order starts yet",
        f"expediter workflow route VERSION: new orders start on it; those under way run out on {old}",
        f"expediter workflow versions: {old} is done when no order is under way on it",
    ]
    if found.tasks_gone:
        tasks = ", ".join(found.tasks_gone)
        steps.append(f"keep the code of {tasks} until then: a server without it does not start")
    return steps


def _lines(old: str, new: Path, found: Changes, report: dict[str, Any]) -> list[str]:
    lines = [f"{old} -> {new}"]
    lines += [f"  changed:       {field}" for field in found.machine]
    lines += [f"  state gone:    {name}{_like(found, name)}" for name in found.gone]
    lines += [f"  state new:     {name}" for name in found.new]
    lines += [f"  state moved:   {name} ({found.move(name)})" for name in found.moved]
    lines += [f"  state changed: {name} ({', '.join(fields)})" for name, fields in found.changed.items()]
    lines += [f"  task gone:     {name}" for name in found.tasks_gone]
    lines += [f"  task new:      {name}" for name in found.tasks_new]
    if len(lines) == 1:
        return [*lines, "  nothing changes"]
    return [*lines, *_orders(report["orders"]), "", "To keep every order:", *_numbered(report["keep"])]


def _like(found: Changes, name: str) -> str:
    return f" ({found.renamed[name]} does the same)" if name in found.renamed else ""


def _orders(live: dict[str, Any] | None) -> list[str]:
    pinned = "Orders under way keep the version that they began on: none is moved, so none is stranded."
    if live is None:
        return ["", pinned, "With --live a running server is asked how many there are in each state."]
    placed = live["states"]
    total = sum(one["orders"] for one in placed)
    lines = ["", f"{counted(total, 'order')} under way on version {live['version']}:"]
    lines += [f"  {one['orders']:>7} in {one['state']}: {one['stranded'] or 'is there too'}" for one in placed]
    lost = sum(one["orders"] for one in placed if one["stranded"])
    return [*lines, pinned, f"Moved to the new definition, {counted(lost, 'order')} could not go on."]


def _numbered(steps: list[str]) -> list[str]:
    return [f"  {number}. {step}" for number, step in enumerate(steps, 1)]
