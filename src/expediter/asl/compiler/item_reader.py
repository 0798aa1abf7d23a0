"""ItemReader and ResultWriter: their calls to the store, with ReaderConfig and WriterConfig.

Sources: "ItemReader (Map)" and "ResultWriter (Map)" of the AWS developer guide.
"""

import re
from collections.abc import Callable

from expediter.asl.compiler.dataflow import shaping_path, template
from expediter.asl.compiler.numbers import number
from expediter.asl.compiler.reader import Reader
from expediter.asl.errors import StateFailure
from expediter.asl.execution import Frame
from expediter.asl.expressions.scope import Scope
from expediter.asl.protocol import Json
from expediter.asl.states.datasets import manifests
from expediter.asl.states.datasets.formats import Format, csv_dataset, json_dataset, json_lines, parquet, reader_failure
from expediter.asl.states.datasets.reading import GET, LIST, ItemReader
from expediter.asl.states.datasets.results import PUT, ResultWriter
from expediter.asl.states.state import Arguments

DELIMITERS = {"COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "SPACE": " ", "TAB": "\t"}
#: AWS's largest MaxItems.
MOST_ITEMS = 100_000_000

_FIELDS = (
    *("InputType", "Transformation", "ManifestType", "CSVDelimiter", "CSVHeaderLocation", "CSVHeaders"),
    *("MaxItems", "ItemsPointer"),
)


def item_reader(state: Reader) -> ItemReader | None:
    """The state's ItemReader, if it has one."""
    found = state.object("ItemReader")
    if found is None:
        return None
    found.only("Resource", "ReaderConfig", _template_field(found))
    resource = _store_resource(found, (GET, LIST))
    config = found.object("ReaderConfig") or Reader({}, found.at("ReaderConfig"), found.notes, jsonata=found.jsonata)
    config.only(*_FIELDS, *(() if config.jsonata else ("MaxItemsPath",)))
    _check_most_items(config)
    listing, dataset = _listed(config) if resource == LIST else _object(config)
    most = number(config, "MaxItems", outer=state, negative=_negative)
    return ItemReader(resource, _store_arguments(state, found), most, listing, dataset)


def _negative(field: str) -> StateFailure:
    return reader_failure(f"field {field} must be positive")


def _check_most_items(config: Reader) -> None:
    given, path = config.spec.get("MaxItems"), config.spec.get("MaxItemsPath")
    if isinstance(given, int) and given > MOST_ITEMS:
        config.refuse("MaxItems", f"must be a number between 0 and {MOST_ITEMS}")
    if isinstance(path, str) and path.strip(" ").startswith("$$"):
        config.refuse("MaxItemsPath", "must not read the context object")


def _listed(config: Reader) -> tuple[manifests.Listing | None, Format | None]:
    """Of ``s3:listObjectsV2``: the entries themselves, or what is in the objects."""
    if _one_of(config, "Transformation", "NONE", ("NONE", "LOAD_AND_FLATTEN")) == "NONE":
        return None, None
    return manifests.prefix, _dataset(config, tuple(_FORMATS))


def _object(config: Reader) -> tuple[manifests.Listing | None, Format | None]:
    """Of ``s3:getObject``: the dataset, or a manifest that names the objects it is in."""
    if config.has("Transformation"):
        config.warn("Transformation", f"has a meaning with {LIST} only")
    manifest = _one_of(config, "ManifestType", "", ("ATHENA_DATA", "S3_INVENTORY"))
    if manifest == "ATHENA_DATA":
        return manifests.athena, _dataset(config, ("CSV", "JSONL", "PARQUET"))
    if manifest == "S3_INVENTORY" or config.spec.get("InputType") == "MANIFEST":
        return manifests.inventory, None
    return None, _dataset(config, tuple(_FORMATS), "MANIFEST")


def _dataset(config: Reader, kinds: tuple[str, ...], *more: str) -> Format:
    """How an object is read, by InputType. ``more``: further values that InputType may have."""
    kind = config.text("InputType")
    if not config.has("InputType"):
        config.require("InputType")
    elif kind not in kinds:
        config.complain("InputType", f"must be one of {', '.join((*kinds, *more))}")
    if config.has("ItemsPointer") and kind != "JSON":
        config.warn("ItemsPointer", "has a meaning with the InputType JSON only")
    return _FORMATS.get(kind, _json)(config)


def _one_of(config: Reader, field: str, default: str, values: tuple[str, ...]) -> str:
    found = config.text(field, default)
    if config.has(field) and found not in values:
        config.complain(field, f"must be one of {', '.join(values)}")
    return found


def _json(config: Reader) -> Format:
    pointer = config.text("ItemsPointer")
    if pointer and not pointer.startswith("/"):
        config.complain("ItemsPointer", "must be a JSON Pointer, as /inventory/products")
    return json_dataset(pointer)


def _csv(config: Reader) -> Format:
    place = _one_of(config, "CSVHeaderLocation", "FIRST_ROW", ("FIRST_ROW", "GIVEN"))
    headers: list[str] | None = None
    if place == "GIVEN":
        config.require("CSVHeaders")
        given: list[str] = config.take("CSVHeaders", list, "an array of strings", [])
        if not all(isinstance(header, str) for header in given):
            config.complain("CSVHeaders", "must be an array of strings")
        headers = given
    delimiter = _one_of(config, "CSVDelimiter", "COMMA", tuple(DELIMITERS))
    return csv_dataset(headers, DELIMITERS.get(delimiter, ","))


_FORMATS: dict[str, Callable[[Reader], Format]] = {
    "CSV": _csv,
    "JSON": _json,
    "JSONL": lambda _config: json_lines,
    "PARQUET": lambda _config: parquet,
}


# --- ResultWriter ------------------------------------------------------------------------------------------------


def result_writer(state: Reader) -> ResultWriter | None:
    """The state's ResultWriter, if it has one."""
    found = state.object("ResultWriter")
    if found is None:
        return None
    found.only("Resource", "WriterConfig", _template_field(found))
    config = found.object("WriterConfig")
    if not found.spec:
        found.warn("", "is empty: AWS takes it, and the state fails when it runs")
        return ResultWriter("", _nothing, "", lines=False)
    resource = _store_resource(found, (PUT,)) if found.has("Resource") or config is None else ""
    transformation, output = "NONE" if resource else "COMPACT", "JSON"
    if config is not None:
        config.only("Transformation", "OutputType")
        transformation = _one_of(config, "Transformation", transformation, ("NONE", "COMPACT", "FLATTEN"))
        output = _one_of(config, "OutputType", output, ("JSON", "JSONL"))
    return ResultWriter(resource, _store_arguments(state, found), transformation, lines=output == "JSONL")


def _nothing(_scope: Scope, _frame: Frame) -> Json:
    return {}


# --- the store ---------------------------------------------------------------------------------------------------


def _store_resource(reader: Reader, known: tuple[str, ...]) -> str:
    """The Resource, as it is called in the standard partition of AWS."""
    reader.require("Resource")
    given = reader.text("Resource")
    resource = re.sub(r"^arn:aws[a-z-]*:", "arn:aws:", given)
    if resource not in known:
        reader.complain("Resource", f"The resource provided {given} is not recognized")
    else:
        reader.notes.resources.add(resource)
    return resource


def _template_field(reader: Reader) -> str:
    return "Arguments" if reader.jsonata else "Parameters"


def _store_arguments(state: Reader, reader: Reader) -> Arguments:
    """What to tell the store, from the Map's effective input."""
    shape = template(reader, _template_field(reader))
    path = None if reader.jsonata else shaping_path(state, "InputPath")

    def get(scope: Scope, frame: Frame) -> Json:
        if shape is None:
            return {}
        if reader.jsonata:
            return shape({"input": frame.input}, scope)
        return shape(frame.input if path is None else path(frame.input, scope), scope)

    return get
