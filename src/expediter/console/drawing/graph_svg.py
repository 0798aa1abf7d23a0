"""A workflow's picture as SVG, and the same transitions as Mermaid text.

Colours are CSS variables with fallbacks, so a page can theme an inlined picture; each state is a list item with its
name, for readers and tests alike.
"""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from expediter.asl import inner_machines
from expediter.console.drawing.graph import END, START, Box, Picture, Wire, edges, picture

_STYLE = """
.wf { font: 13px/1.2 system-ui, -apple-system, "Segoe UI", sans-serif; }
.wf rect { fill: var(--wf-box, #ffffff); stroke: var(--wf-line, #5b6470); stroke-width: 1.2; }
.wf .group > rect { fill: var(--wf-group, #f4f6f8); stroke-dasharray: 4 3; }
.wf .Choice > rect { fill: var(--wf-choice, #fff6e0); }
.wf .Wait > rect { fill: var(--wf-wait, #eaf3ff); }
.wf .Fail > rect { fill: var(--wf-fail, #ffecec); }
.wf .Succeed > rect { fill: var(--wf-ok, #e9f7ec); }
.wf .done > rect { fill: var(--wf-done, #d9f2df); stroke: #1c7a35; }
.wf .current > rect { fill: var(--wf-current, #dbeafe); stroke: #1d4ed8; stroke-width: 2.4; }
.wf .failed > rect { fill: var(--wf-failed, #ffdede); stroke: #b42318; stroke-width: 2; }
.wf text { fill: var(--wf-text, #1d2430); text-anchor: middle; }
.wf .kind { font-size: 10px; fill: var(--wf-dim, #5b6470); }
.wf .label { font-size: 11px; fill: var(--wf-text, #1d2430); stroke: var(--wf-back, #ffffff); stroke-width: 4;
  paint-order: stroke; }
.wf path { fill: none; stroke: var(--wf-line, #5b6470); stroke-width: 1.3; }
.wf .catch { stroke: var(--wf-catch, #b4533c); stroke-dasharray: 5 3; }
.wf .dot { fill: var(--wf-line, #5b6470); stroke: none; }
.wf .ring { fill: none; stroke: var(--wf-line, #5b6470); stroke-width: 1.3; }
""".strip()


def svg(definition: dict[str, Any], *, marks: Mapping[str, str] | None = None, title: str = "Workflow") -> str:
    """Draw a valid definition. ``marks``: state -> ``done``, ``current`` or ``failed``."""
    drawn = picture(definition)
    return "\n".join(_document(drawn, marks or {}, title))


def _document(drawn: Picture, marks: Mapping[str, str], title: str) -> Iterator[str]:
    size = f'width="{drawn.width:.0f}" height="{drawn.height:.0f}" viewBox="0 0 {drawn.width:.0f} {drawn.height:.0f}"'
    yield f'<svg xmlns="http://www.w3.org/2000/svg" class="wf" {size} role="list" aria-label="{escape(title)}">'
    yield f"<style>{_STYLE}</style>"
    yield _ARROWS
    ordered = sorted(drawn.boxes, key=lambda box: -box.width * box.height)
    groups = {box.parent for box in drawn.boxes}
    yield from (_box(box, marks, group=box.name in groups) for box in ordered)
    yield from (_wire(wire) for wire in drawn.wires)
    yield from (_label(wire) for wire in drawn.wires if wire.at is not None)
    yield "</svg>"


_ARROWS = (
    '<defs><marker id="wf-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
    '<path d="M0 0L8 4L0 8z" style="fill:var(--wf-line,#5b6470);stroke:none"/></marker></defs>'
)


def _box(box: Box, marks: Mapping[str, str], *, group: bool) -> str:
    x, y = box.x + box.width / 2, box.y + box.height / 2
    if box.name == START:
        return f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="7"/>'
    if box.name == END:
        circles = f'<circle class="ring" cx="{x:.1f}" cy="{y:.1f}" r="9"/>'
        return f'{circles}<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="5"/>'
    classes = " ".join(filter(None, ["state", box.kind, "group" if group else "", marks.get(box.name, "")]))
    name = escape(box.name)
    top = box.y + 15 if group else y - 2
    return (
        f'<g role="listitem" class="{classes}" data-state="{name}" aria-label="{name}, {box.kind}">'
        f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="7"/>'
        f'<text x="{x:.1f}" y="{top:.1f}">{name}</text>'
        f'<text class="kind" x="{x:.1f}" y="{top + 13:.1f}">{box.kind}</text></g>'
    )


def _wire(wire: Wire) -> str:
    line = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in wire.points)
    hint = escape(f"{wire.source} to {wire.target}".replace(START, "start").replace(END, "end"))
    return f'<path class="{wire.kind}" d="{line}" marker-end="url(#wf-arrow)"><title>{hint}</title></path>'


def _label(wire: Wire) -> str:
    x, y = wire.at or (0.0, 0.0)
    return f'<text class="label" x="{x:.1f}" y="{y + 4:.1f}">{escape(wire.label)}</text>'


# --- Mermaid -----------------------------------------------------------------------------------------------------


def mermaid(definition: dict[str, Any]) -> str:
    """The workflow as a Mermaid state diagram."""
    ids: dict[str, str] = {}
    return "\n".join(["stateDiagram-v2", *_mermaid_level(definition, "    ", ids)]) + "\n"


def _mermaid_level(machine: dict[str, Any], indent: str, ids: dict[str, str]) -> Iterator[str]:
    for name, state in machine["States"].items():
        ids[name] = f"s{len(ids)}"
        yield f'{indent}state "{name.replace(chr(34), chr(39))}" as {ids[name]}'
        inner = inner_machines(state)
        if inner:
            yield f"{indent}state {ids[name]} {{"
            for index, branch in enumerate(inner):
                if index:
                    yield f"{indent}    --"
                yield from _mermaid_level(branch, indent + "    ", ids)
            yield f"{indent}}}"
    for edge in edges(machine):
        source, target = ids.get(edge.source, "[*]"), ids.get(edge.target, "[*]")
        label = f": {edge.label.replace(':', ' ')}" if edge.label else ""
        yield f"{indent}{source} --> {target}{label}"
