"""The text of a definition in a template: its pieces, and where in the file a character of it stands."""

import re
from typing import NamedTuple

import yaml

from expediter.cli.commands.workflow.reading.json_faults import json_fault, same_length
from expediter.cli.commands.workflow.reading.nodes import composed, entry
from expediter.cli.commands.workflow.reading.values import (
    Place,
    is_json,
    line_and_column,
    offset_of,
    without_comments,
)

#: What stands for a piece that is known at deployment only: a placeholder, which is read inside a string and outside.
_UNKNOWN = "${Unknown}"
#: One character of a text in quotes, as it is written.
_WRITTEN = {
    '"': re.compile(r"\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8}|\\x[0-9A-Fa-f]{2}|\\.|.", re.DOTALL),
    "'": re.compile(r"''|.", re.DOTALL),
}


class Pieces(NamedTuple):
    """The nodes that a text is joined from; None is one whose text the template does not hold."""

    delimiter: str
    nodes: tuple[yaml.ScalarNode | None, ...]

    def text(self) -> str:
        """The text that they make."""
        return self.delimiter.join(map(_value, self.nodes))

    def at(self, offset: int) -> tuple[yaml.ScalarNode | None, int]:
        """The piece that holds this character of the text, and the place of the character in it."""
        for node in self.nodes:
            if offset < len(_value(node)):
                return node, max(offset, 0)
            offset -= len(_value(node)) + len(self.delimiter)
        return None, 0


def _value(node: yaml.ScalarNode | None) -> str:
    value: str = _UNKNOWN if node is None else node.value
    return value


def pieces(node: yaml.Node) -> Pieces | None:
    """The pieces of a text, of ``Fn::Sub`` or of ``Fn::Join``. None: the node is something else."""
    name, given = _called(node)
    items = given.value if isinstance(given, yaml.SequenceNode) else []
    if name == "Join" and len(items) == 2 and isinstance(items[1], yaml.SequenceNode):
        return Pieces(_value(_plain(items[0])), tuple(_plain(item) for item in items[1].value))
    plain = _plain(node)
    return None if plain is None else Pieces("", (plain,))


def _plain(node: yaml.Node) -> yaml.ScalarNode | None:
    """The node with the text of a text or of ``Fn::Sub``."""
    name, given = _called(node)
    if name == "Sub" and isinstance(given, yaml.SequenceNode) and given.value:
        given = given.value[0]
    return given if name in {"", "Sub"} and isinstance(given, yaml.ScalarNode) else None


def _called(node: yaml.Node) -> tuple[str, yaml.Node]:
    """The intrinsic function that a node is a call of, without its ``Fn::``, and what it is given; or "", itself."""
    if node.tag.startswith("!"):
        return node.tag[1:], node
    if isinstance(node, yaml.MappingNode) and len(node.value) == 1:
        key, given = node.value[0]
        return str(key.value).removeprefix("Fn::"), given
    return "", node


def fault_in_file(text: str, keys: tuple[str, ...]) -> Place | None:
    """Where in a template the text below these keys is not JSON; None where that is not known."""
    node = composed(text)
    for key in keys:
        node = (entry(node, key) or (None, None))[0]
    made = None if node is None else pieces(node)
    if made is None or not is_json(made.text()):
        return None
    fault = json_fault(same_length(without_comments(made.text())))
    piece, offset = (None, 0) if fault is None else made.at(min(fault.offset, len(made.text()) - 1))
    return None if piece is None else Place(text, offset_of(text, *in_file(text, piece, offset)))


def in_file(text: str, node: yaml.ScalarNode, offset: int) -> tuple[int, int]:
    """Line and column in the file of a character of a node's text; of the node where its lines are folded."""
    if node.style == "|" and (found := _in_block(text, node, offset)) is not None:
        return found
    written = text[node.start_mark.index : node.end_mark.index]
    if node.style in _WRITTEN and "\n" not in written:
        opening = written.index(node.style) + 1
        characters = [found.start() for found in _WRITTEN[node.style].finditer(written, opening)]
        return line_and_column(text, node.start_mark.index + characters[offset])
    return node.start_mark.line + 1, node.start_mark.column + 1


def _in_block(text: str, node: yaml.ScalarNode, offset: int) -> tuple[int, int] | None:
    """None: the lines of the block do not begin below that of the node, as after a tag on a line of its own."""
    line, column = line_and_column(node.value, offset)
    above, meant = node.start_mark.line + line, node.value.splitlines()[line - 1]
    written = "".join(text.replace("\t", " ").splitlines()[above : above + 1])
    return (above + 1, len(written) - len(meant) + column) if written.endswith(meant) else None
