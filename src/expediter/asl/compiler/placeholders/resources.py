"""A plausible Resource in the place of one that has a placeholder."""

import re

from expediter.asl.compiler.placeholders.expressions import word
from expediter.asl.compiler.placeholders.names import PLACEHOLDER
from expediter.asl.protocol import Json
from expediter.asl.states.datasets.reading import GET, LIST
from expediter.asl.states.datasets.results import PUT

_INTEGRATION = re.compile(r"arn:.*?:states:::(.*)", re.DOTALL)


def resource(text: str, _spec: dict[str, Json]) -> str:
    """Of a Task. An integration whose service, action or way is not known yet is the best known."""
    if whole := PLACEHOLDER.fullmatch(text):
        return whole[1]
    named = _INTEGRATION.match(text)
    return "arn:aws:states:::lambda:invoke" if named and PLACEHOLDER.search(named[1]) else PLACEHOLDER.sub(word, text)


def reader_resource(reader: dict[str, Json]) -> str:
    """Of an ItemReader: with an InputType it reads an object."""
    config = reader.get("ReaderConfig")
    reads = not isinstance(config, dict) or bool(config.keys() & {"InputType", "ManifestType"})
    return _store(str(reader["Resource"]), GET if "ReaderConfig" in reader and reads else LIST)


def writer_resource(writer: dict[str, Json]) -> str:
    """Of a ResultWriter."""
    return _store(str(writer["Resource"]), PUT)


def _store(text: str, best: str) -> str:
    named = _INTEGRATION.match(text)
    return best if named is None or PLACEHOLDER.search(named[1]) else PLACEHOLDER.sub(word, text)
