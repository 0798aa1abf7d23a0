"""Where in a file a fault stands."""

import re
from typing import NamedTuple

import yaml

from expediter.cli.commands.workflow.reading.nodes import composed, entry
from expediter.cli.commands.workflow.reading.sources import Source
from expediter.cli.commands.workflow.reading.template_texts import Pieces, in_file, pieces
from expediter.cli.commands.workflow.reading.values import offset_of


class Location(NamedTuple):
    """Line and column in a file, both from 1."""

    line: int
    column: int


def locate(source: Source, path: str) -> Location | None:
    """Where the fault at this path (``States.Pay.Retry[0].ErrorEquals``) stands; the nearest place that is there.

    None in a text that is larger than any definition.
    """
    node = composed(source.text)
    mark = None if node is None else node.start_mark
    for key in source.place:
        node, mark = entry(node, key) or (None, mark)
    node, mark = entry(node, "Fn::ToJsonString") or (node, mark)
    if source.place and node is not None and (made := pieces(node)) is not None:
        return _in_text(source, made, path) or _location(mark)
    while node is not None and path:
        found = _step(node, path)
        if found is None:
            break
        node, mark, path = found
    return _location(mark)


def _location(mark: yaml.Mark | None) -> Location | None:
    return None if mark is None else Location(mark.line + 1, mark.column + 1)


def _in_text(source: Source, made: Pieces, path: str) -> Location | None:
    """Where a fault stands in a definition that is a text of a template, in one piece or in several."""
    text = made.text()
    inner = locate(Source("", None, text), path)
    if inner is None:
        return None
    node, offset = made.at(offset_of(text, inner.line, inner.column))
    return None if node is None else Location(*in_file(source.text, node, offset))


def _step(node: yaml.Node, path: str) -> tuple[yaml.Node, yaml.Mark, str] | None:
    """One key or index further; names of states may hold dots, so the longest key that fits is taken."""
    if isinstance(node, yaml.SequenceNode):
        found = re.match(r"\[(\d+)\]\.?", path)
        if found is None or int(found[1]) >= len(node.value):
            return None
        item = node.value[int(found[1])]
        return item, item.start_mark, path[found.end() :]
    keys = [name.value for name, _ in node.value] if isinstance(node, yaml.MappingNode) else []
    fits = [key for key in keys if path == key or path.startswith((f"{key}.", f"{key}["))]
    value = entry(node, max(fits, key=len)) if fits else None
    return None if value is None else (*value, path[len(max(fits, key=len)) :].removeprefix("."))
