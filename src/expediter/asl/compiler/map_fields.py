"""Compiling Parallel and Map: their inner machines, and the fields that say how many at once and how many may fail."""

import math
from collections.abc import Callable
from typing import TypeAlias

from expediter.asl.compiler.dataflow import effective_input, shaping_path, template
from expediter.asl.compiler.item_reader import RESOURCES, WRITERS, compile_parser
from expediter.asl.compiler.reader import Reader
from expediter.asl.compiler.scalars import dynamic
from expediter.asl.errors import PathMissing, runtime_failure
from expediter.asl.execution import Frame
from expediter.asl.expressions.intrinsics import is_number
from expediter.asl.expressions.jsonata.expression import query_failure
from expediter.asl.expressions.scope import Scope
from expediter.asl.protocol import Json
from expediter.asl.states.map_ import ItemReader, Items, MapFields, Number, ResultWriter
from expediter.asl.states.simple import Parameter
from expediter.asl.states.state import Arguments
from expediter.asl.texts import encode, json_text, plain

#: Compiles the machine inside a state and yields the name of its first state.
Inner: TypeAlias = Callable[[Reader], str]


def map_fields(reader: Reader, inner: Inner) -> MapFields:
    field = "ItemProcessor" if reader.has("ItemProcessor") or not reader.has("Iterator") else "Iterator"
    reader.require(field)
    processor = reader.object(field)
    distributed = processor is not None and _mode(processor)
    legacy = reader.has("Parameters") and not reader.has("ItemSelector")
    source = _source(reader)
    return MapFields(
        start="" if processor is None else inner(processor),
        distributed=distributed,
        items=_items(reader),
        select=_selector(reader, "Parameters" if legacy else "ItemSelector"),
        concurrency=number(reader, "MaxConcurrency"),
        tolerated_count=number(reader, "ToleratedFailureCount"),
        tolerated_percentage=number(reader, "ToleratedFailurePercentage", whole=False, most=100),
        batch=_batcher(reader),
        source=source,
        writer=_writer(reader),
        label=reader.text("Label"),
    )


def _mode(processor: Reader) -> bool:
    config = processor.object("ProcessorConfig")
    if config is None:
        return False
    config.only("Mode", "ExecutionType")
    mode = config.text("Mode", "INLINE")
    if mode not in {"INLINE", "DISTRIBUTED"}:
        config.complain("Mode", "must be INLINE or DISTRIBUTED")
    if mode == "DISTRIBUTED" and config.text("ExecutionType") not in {"STANDARD", "EXPRESS"}:
        config.complain("ExecutionType", "must be STANDARD or EXPRESS")
    return mode == "DISTRIBUTED"


# --- items -------------------------------------------------------------------------------------------------------


def _items(reader: Reader) -> Items:
    return _jsonata_items(reader) if reader.jsonata else _jsonpath_items(reader)


def _jsonata_items(reader: Reader) -> Items:
    if not reader.has("Items"):

        def from_input(_scope: Scope, frame: Frame) -> list[Json]:
            if isinstance(frame.input, list):
                return frame.input
            raise query_failure(f"Map state input must be an array but was: {json_text(frame.input)}")

        return from_input
    if not isinstance(reader.spec["Items"], list):
        get = dynamic(reader, "Items", "array")
        if get is None:
            reader.complain("Items", "must be an array or a JSONata expression")
            return lambda _scope, _frame: []
        return get
    built = template(reader, "Items")
    return lambda scope, frame: [] if built is None else built({"input": frame.input}, scope)


def _jsonpath_items(reader: Reader) -> Items:
    begin = effective_input(reader)
    path = reader.path("ItemsPath")
    text = "$" if path is None else path.text

    def items(scope: Scope, frame: Frame) -> list[Json]:
        value = frame.input if begin is None else begin(scope, frame)
        try:
            found = value if path is None else path.get(value, scope)
        except PathMissing as missing:
            raise runtime_failure(f"Invalid path '{text}' : {missing}") from None
        if isinstance(found, list):
            return found
        raise runtime_failure(f'Reference path "{text}" must point to array.')

    return items


def _selector(reader: Reader, field: str) -> Arguments | None:
    """``$`` is the Map's effective input, the item is in the context object."""
    select = template(reader, field)
    if select is None:
        return None
    if reader.jsonata:
        return lambda scope, frame: select({"input": frame.input}, scope)
    path = shaping_path(reader, "InputPath")
    return lambda scope, frame: select(frame.input if path is None else path(frame.input, scope), scope)


# --- numbers -----------------------------------------------------------------------------------------------------


def number(
    reader: Reader, field: str, *, whole: bool = True, most: float = math.inf, outer: Reader | None = None
) -> Number:
    """A non-negative number: given, by Path (text that reads as a number will do), or by expression; absent is None.

    ``outer``: the state, where ``reader`` is an object inside it.
    """
    if (get := dynamic(reader, field, "number")) is not None:
        return lambda scope, frame: _within(get(scope, frame), field, most)
    path_field = f"{field}Path"
    if reader.has(field) and reader.has(path_field):
        reader.complain("", f"Only one of these fields is allowed: [{field}, {path_field}]")
    path = None if reader.jsonata else reader.path(path_field)
    if path is not None:
        return _number_at(Parameter(path, path_field, effective_input(outer or reader)), field, whole=whole, most=most)
    given = _given(reader, field, whole=whole, most=most)
    return lambda _scope, _frame: given


def _given(reader: Reader, field: str, *, whole: bool, most: float) -> float | None:
    if not reader.has(field):
        return None
    found: float = reader.take(field, int if whole else (int, float), "a number", 0)
    if not 0 <= found <= most:
        reader.complain(field, f"must be a number between 0 and {most}" if most < math.inf else "must not be negative")
    return found


def _number_at(parameter: Parameter, field: str, *, whole: bool, most: float) -> Number:
    kind, path = "integer" if whole else "float", parameter.path.text

    def read(scope: Scope, frame: Frame) -> float:
        value = parameter.read(scope, frame)
        found = _parsed(value, whole=whole)
        if found is None:
            name = parameter.field
            raise runtime_failure(
                f'The {name} field refers to value "{plain(value)}" which is not a valid {kind}: {path}'
            )
        return _within(found, field, most)

    return read


def _parsed(value: Json, *, whole: bool) -> float | None:
    if isinstance(value, str):
        try:
            return int(value) if whole else float(value)
        except ValueError:
            return None
    if not is_number(value) or (whole and not isinstance(value, int)):
        return None
    found: float = value
    return found


def _within(value: float, field: str, most: float) -> float:
    if most < math.inf and not 0 <= value <= most:
        raise runtime_failure(f"{field} must be between 0 and {most:g}.")
    if value < 0:
        raise runtime_failure(f"{field} cannot be negative.")
    return value


# --- ItemReader and ItemBatcher ----------------------------------------------------------------------------------


def _source(reader: Reader) -> ItemReader | None:
    found = reader.object("ItemReader")
    if found is None:
        return None
    found.only("Resource", "ReaderConfig", _template_field(found))
    resource = _store_resource(found, RESOURCES)
    config = found.object("ReaderConfig") or Reader({}, found.at("ReaderConfig"), found.notes, jsonata=found.jsonata)
    get = _store_arguments(reader, found)
    _check_most_items(config)
    return ItemReader(resource, get, number(config, "MaxItems", outer=reader), compile_parser(config, resource))


#: AWS's largest MaxItems.
MOST_ITEMS = 100_000_000


def _check_most_items(config: Reader) -> None:
    given, path = config.spec.get("MaxItems"), config.spec.get("MaxItemsPath")
    if isinstance(given, int) and given > MOST_ITEMS:
        config.refuse("MaxItems", f"must be a number between 0 and {MOST_ITEMS}")
    if isinstance(path, str) and path.strip(" ").startswith("$$"):
        config.refuse("MaxItemsPath", "must not read the context object")


def _store_resource(reader: Reader, known: tuple[str, ...]) -> str:
    reader.require("Resource")
    resource = reader.text("Resource")
    if resource not in known:
        reader.complain("Resource", f"The resource provided {resource} is not recognized")
    return resource


def _template_field(reader: Reader) -> str:
    return "Arguments" if reader.jsonata else "Parameters"


def _store_arguments(outer: Reader, reader: Reader) -> Arguments:
    """What to tell the store, from the Map's effective input."""
    shape = template(reader, _template_field(reader))
    path = None if reader.jsonata else shaping_path(outer, "InputPath")

    def get(scope: Scope, frame: Frame) -> Json:
        if shape is None:
            return {}
        if reader.jsonata:
            return shape({"input": frame.input}, scope)
        return shape(frame.input if path is None else path(frame.input, scope), scope)

    return get


def _writer(reader: Reader) -> ResultWriter | None:
    found = reader.object("ResultWriter")
    if found is None:
        return None
    found.only("Resource", "WriterConfig", _template_field(found))
    if found.has("WriterConfig"):
        found.complain("WriterConfig", "is not supported here")
    return ResultWriter(_store_resource(found, WRITERS), _store_arguments(reader, found))


def _batcher(reader: Reader) -> Callable[[Scope, Frame, list[Json]], list[Json]] | None:
    found = reader.object("ItemBatcher")
    if found is None:
        return None
    names = ("MaxItemsPerBatch", "MaxInputBytesPerBatch")
    found.only(*names, "BatchInput", *(() if found.jsonata else (f"{name}Path" for name in names)))
    count, size = number(found, "MaxItemsPerBatch", outer=reader), number(found, "MaxInputBytesPerBatch", outer=reader)
    extra = template(found, "BatchInput")
    path = None if found.jsonata else shaping_path(reader, "InputPath")
    jsonata = found.jsonata

    def gather(scope: Scope, frame: Frame, items: list[Json]) -> list[Json]:
        value = {"input": frame.input} if jsonata else frame.input if path is None else path(frame.input, scope)
        shared = {} if extra is None else {"BatchInput": extra(value, scope)}
        most, room = count(scope, frame) or math.inf, size(scope, frame) or math.inf
        return [{**shared, "Items": batch} for batch in _batches(items, most, room)]

    return gather


def _batches(items: list[Json], most: float, room: float) -> list[list[Json]]:
    """As many items as fit, in order; an item too large for any batch is alone in its own."""
    found: list[list[Json]] = []
    used = math.inf
    for item in items:
        size = len(encode(item)) + 1
        if not found or len(found[-1]) >= most or used + size > room:
            found.append([])
            used = 0
        found[-1].append(item)
        used += size
    return found
