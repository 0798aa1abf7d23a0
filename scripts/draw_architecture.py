"""Draws the two pictures of docs/explanation/architecture.md: the rooms of the code, and the way of an order.

python scripts/draw_architecture.py          writes them to docs/images
python scripts/draw_architecture.py --check  names the files that would change; 1 when there are some

The rooms stand as the layers of import-linter in pyproject.toml say, each with the first sentence of its docstring. The
way of an order names files; a test holds them against the files that an order is traced through.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from textwrap import wrap
from typing import NamedTuple
from xml.sax.saxutils import escape

ROOT = Path(__file__).parent.parent
SOURCE, IMAGES = ROOT / "src" / "expediter", ROOT / "docs" / "images"
WIDTH, MARGIN, GAP, LINE = 1000, 20, 8, 16
#: Pixels per character, on the safe side.
CHARACTER = 6.3
#: Characters of a first sentence that says too little by itself.
SHORT = 25
STYLE = """
  text { font: 12px system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; fill: #1f2430 }
  .name, .file { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace }
  .name { font-weight: 700; font-size: 13px }
  .file { font-size: 11px; fill: #3b4a63 }
  .title { font-weight: 700; font-size: 13px }
  .group { font-weight: 700; font-size: 11px; fill: #5b6475 }
"""
EDGE, INSIDE = ("#eef3ff", "#9db4e6"), ("#f2f8ee", "#a5c78f")


class Place(NamedTuple):
    """The upper left corner of a row, and its width, in pixels."""

    x: float
    y: float
    width: float


class OrderStep(NamedTuple):
    """One step on the way of an order. ``files``: below src/expediter."""

    title: str
    text: str
    files: tuple[str, ...]


class Phase(NamedTuple):
    """Steps that happen together; ``name`` says what binds them."""

    name: str
    steps: tuple[OrderStep, ...]


WAY = (
    Phase(
        "the request",
        (
            OrderStep(
                "Read the request",
                "One connection reads one request after the other, strictly.",
                ("embedded/web/http1/connection.py", "embedded/web/http1/request_head.py"),
            ),
            OrderStep(
                "Find the operation",
                "Host, Origin and token are checked; method and path name an operation of openapi.json.",
                ("embedded/web/app.py", "embedded/web/guards.py", "embedded/web/operations.py"),
            ),
            OrderStep(
                "Queue a unit of work",
                "The writer runs it with others that arrive; when there are too many, the answer is 503.",
                ("embedded/home.py", "embedded/sqlite/writer.py", "embedded/sqlite/units.py"),
            ),
        ),
    ),
    Phase(
        "commit 1",
        (
            OrderStep(
                "Accept the order",
                "The body is parsed, the id is claimed, and the order is sent to the queue.",
                (
                    "api/rest.py",
                    "app/drafts.py",
                    "app/intake.py",
                    "embedded/stores/claims.py",
                    "embedded/stores/queue.py",
                ),
            ),
            OrderStep(
                "Take it in",
                "The message is received, and the workflow starts under the order's id. Then the message is deleted.",
                ("app/intake.py", "embedded/engine/driver.py", "embedded/stores/executions.py"),
            ),
            OrderStep(
                "Advance the workflow",
                "InitializeOrder saves the order. ProcessPayment writes down that it charges, and asks for the call.",
                ("embedded/engine/driver.py", "asl/run.py", "asl/states/task.py", "app/tasks/order.py"),
            ),
            OrderStep(
                "Write and commit",
                "The changed rows of all units of the batch are written, then COMMIT with fsync runs in a thread.",
                ("embedded/stores/orders.py", "embedded/sqlite/write_behind.py", "embedded/sqlite/commit_thread.py"),
            ),
        ),
    ),
    Phase(
        "after it",
        (
            OrderStep(
                "Answer 204",
                "The customer has the answer only now: the order is on the disk.",
                ("embedded/web/http1/request_cycle.py",),
            ),
            OrderStep(
                "Call the payment provider",
                "The charge goes out under the key {id}/charge. A simulated provider answers at once.",
                ("embedded/engine/dispatcher.py", "embedded/engine/gateways.py", "app/gateways/payment.py"),
            ),
        ),
    ),
    Phase(
        "commit 2",
        (
            OrderStep(
                "Settle the answer",
                "PAID, with its ledger entry. The hold is 0 seconds here; a longer one goes on with a timer.",
                ("app/tasks/order.py", "domain/order.py", "asl/states/state.py"),
            ),
        ),
    ),
    Phase(
        "after it",
        (
            OrderStep(
                "Hand over to the restaurant",
                "Under the key {id}/restaurant, signed.",
                ("embedded/engine/dispatcher.py", "app/gateways/restaurant.py"),
            ),
        ),
    ),
    Phase(
        "commit 3",
        (
            OrderStep(
                "Complete the order",
                "SUCCESS, and the mails go to the outbox. The execution has ended.",
                ("app/tasks/order.py", "app/mails.py", "embedded/stores/executions.py"),
            ),
        ),
    ),
    Phase(
        "after it",
        (
            OrderStep(
                "Pass it on",
                "Metrics and flow count the end, followers of the order see it, and the outbox sends the mails.",
                ("embedded/home.py", "embedded/web/feed.py", "embedded/mail/outbox.py"),
            ),
        ),
    ),
)


# ── rooms ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def layers(contract: str) -> list[list[str]]:
    """The layers of an import-linter contract from the top, each the names of its rooms."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (found,) = (one for one in contracts if one["id"] == contract)
    return [re.findall(r"\w+", layer) for layer in found["layers"]]


def purpose(room: str) -> str:
    """The first sentence of the docstring of a room (a folder or a file below src/expediter), or two short ones."""
    path = SOURCE / room
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    text = ast.get_docstring(ast.parse(file.read_text())) or ""
    first, *others = re.split(r"(?<=\.)\s", text.partition("\n\n")[0].replace("\n", " "))
    return f"{first} {others[0]}" if others and len(first) < SHORT else first


def rooms() -> str:
    """The picture of the rooms."""
    shapes: list[str] = []
    y = float(MARGIN)
    for layer in layers("layers"):
        if "embedded" in layer:
            inner, bottom = _homes(y)
            shapes += inner
            y = bottom + GAP
        else:
            y = _row(shapes, Place(MARGIN, y, WIDTH - 2 * MARGIN), layer, "") + GAP
    shapes.append(
        _text(
            MARGIN,
            y + LINE,
            "A room imports only from rooms below it; embedded and aws never from each other.",
            "group",
        )
    )
    return _svg(y + 2 * LINE, shapes)


def _homes(y: float) -> tuple[list[str], float]:
    """The two sets of adapters side by side, and where they end."""
    left = 0.72 * (WIDTH - 2 * MARGIN - GAP)
    shapes: list[str] = []
    bottom = y + LINE + GAP
    for layer in layers("embedded-rooms"):
        bottom = _row(shapes, Place(MARGIN + GAP, bottom, left - 2 * GAP), layer, "embedded/") + GAP
    x, right = MARGIN + left + GAP, WIDTH - 2 * MARGIN - left - GAP
    frames = [
        _box(MARGIN, y, left, bottom - y, ("#ffffff", "#8a94a6")),
        _text(MARGIN + GAP, y + LINE, "embedded/ · one machine", "group"),
        _box(x, y, right, bottom - y, ("#ffffff", "#8a94a6")),
        _text(x + GAP, y + LINE, "aws/ · the same ports on AWS", "group"),
    ]
    at = y + LINE + GAP
    for room in ("wiring", "functions", "sending", "workflows", "gateways", "stores"):
        at = _row(shapes, Place(x + GAP, at, right - 2 * GAP), [room], "aws/") + GAP
    return frames + shapes, bottom


def _row(shapes: list[str], at: Place, names: list[str], folder: str) -> float:
    """Draws the rooms of a layer beside each other; gives where the row ends."""
    x, y, width = at
    names = [name for name in names if (SOURCE / folder / name).is_dir() or (SOURCE / folder / f"{name}.py").exists()]
    each = (width - GAP * (len(names) - 1)) / len(names)
    texts = [wrap(purpose(folder + name), int((each - 2 * GAP) / CHARACTER)) for name in names]
    height = LINE * (1 + max(map(len, texts))) + GAP
    for place, (name, lines) in enumerate(zip(names, texts, strict=True)):
        left = x + place * (each + GAP)
        shapes.append(_box(left, y, each, height, EDGE if folder or name in {"cli", "console"} else INSIDE))
        title = f"{name}/" if (SOURCE / folder / name).is_dir() else f"{name}.py"
        shapes.append(_text(left + GAP, y + LINE, title, "name"))
        shapes += (_text(left + GAP, y + LINE * (2 + number), line) for number, line in enumerate(lines))
    return y + height


# ── the way of an order ───────────────────────────────────────────────────────────────────────────────────────────


def way() -> str:
    """The picture of the way of an order."""
    shapes: list[str] = []
    y, number = float(MARGIN), 0
    for phase in WAY:
        top = y
        for step in phase.steps:
            number += 1
            y = _step(shapes, y, number, step) + GAP
        colours = INSIDE if phase.name.startswith("commit") else EDGE
        shapes.insert(0, _box(MARGIN, top - GAP / 2, WIDTH - 2 * MARGIN, y - top, colours))
        shapes.append(_text(MARGIN + GAP, top + LINE, phase.name, "group"))
    return _svg(y + GAP, shapes)


def _step(shapes: list[str], y: float, number: int, step: OrderStep) -> float:
    left, middle = MARGIN + 90, 560
    lines = wrap(step.text, int((middle - left - 2 * GAP) / CHARACTER))
    shapes.append(_text(left, y + LINE, f"{number}. {step.title}", "title"))
    shapes += (_text(left, y + LINE * (2 + place), line) for place, line in enumerate(lines))
    shapes += (_text(middle, y + LINE * (1 + place), file, "file") for place, file in enumerate(step.files))
    return y + LINE * max(1 + len(lines), len(step.files)) + GAP


# ── SVG ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _box(x: float, y: float, width: float, height: float, colours: tuple[str, str]) -> str:
    fill, line = colours
    place = f'x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{height:.0f}"'
    return f'<rect {place} rx="5" fill="{fill}" stroke="{line}"/>'


def _text(x: float, y: float, text: str, kind: str = "") -> str:
    style = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.0f}" y="{y:.0f}"{style}>{escape(text)}</text>'


def _svg(height: float, shapes: Iterable[str]) -> str:
    size = f'width="{WIDTH}" height="{height:.0f}" viewBox="0 0 {WIDTH} {height:.0f}"'
    back = f'<rect width="{WIDTH}" height="{height:.0f}" fill="#ffffff"/>'
    return "\n".join(
        [f'<svg xmlns="http://www.w3.org/2000/svg" {size}>', f"<style>{STYLE}</style>", back, *shapes, "</svg>\n"]
    )


def pictures() -> Iterator[tuple[Path, str]]:
    """Each picture's file and its text."""
    yield IMAGES / "rooms.svg", rooms()
    yield IMAGES / "order-way.svg", way()


def main(arguments: list[str]) -> int:
    """Writes the pictures, or says which are not as the code has them now."""
    stale = [(file, text) for file, text in pictures() if not file.exists() or file.read_text() != text]
    for file, text in stale:
        if "--check" in arguments:
            print(file.relative_to(ROOT))
        else:
            file.write_text(text)
    return int("--check" in arguments and bool(stale))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
