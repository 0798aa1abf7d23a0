"""The nodes of a text: its values with their places."""

from functools import lru_cache

import yaml

from expediter.cli.commands.workflow.reading.json_faults import same_length
from expediter.cli.commands.workflow.reading.values import LARGEST_YAML, Loader, is_json, without_comments


@lru_cache(maxsize=4)
def composed(text: str) -> yaml.Node | None:
    """The nodes of a text with their places; read once for all the faults of a file, as reading takes long.

    None of a text that is no YAML, or larger than any definition.
    """
    if len(text) > LARGEST_YAML:
        return None
    try:
        node: yaml.Node | None = yaml.compose(_as_yaml(text).replace("\t", " "), Loader)
    except (yaml.YAMLError, RecursionError):
        return None
    return node


def _as_yaml(text: str) -> str:
    """YAML as it is, and JSON as YAML takes it, of the same length."""
    return same_length(without_comments(text)) if is_json(text) else text


def entry(node: yaml.Node | None, key: str) -> tuple[yaml.Node, yaml.Mark] | None:
    """The value of a key, and where the key stands."""
    for name, value in node.value if isinstance(node, yaml.MappingNode) else ():
        if name.value == key:
            return value, name.start_mark
    return None
