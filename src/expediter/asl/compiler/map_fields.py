"""Compiles Map: its inner machine, its source of items, and how they are shaped and batched."""

import math
import re
from collections.abc import Callable
from typing import TypeAlias

from expediter.asl.compiler.dataflow import effective_input, shaping_path, template
from expediter.asl.compiler.item_reader import item_reader, result_writer
from expediter.asl.compiler.numbers import number
from expediter.asl.compiler.reader import Reader
from expediter.asl.compiler.resources import check_express
from expediter.asl.compiler.scalars import dynamic
from expediter.asl.errors import PathMissing, query_failure, runtime_failure
from expediter.asl.execution import Frame
from expediter.asl.expressions.scope import Scope
from expediter.asl.machine import PROCESSORS
from expediter.asl.protocol import Json
from expediter.asl.states.map_ import Items, MapFields
from expediter.asl.states.state import Arguments
from expediter.asl.texts import encode, json_text

#: Compiles the machine inside a state and yields the name of its first state.
Inner: TypeAlias = Callable[[Reader], str]


def map_fields(reader: Reader, inner: Inner) -> MapFields:
    new, old = PROCESSORS
    field = old if reader.has(old) and not reader.has(new) else new
    reader.require(field)
    for name, former in ((new, old), ("ItemSelector", "Parameters")):
        if reader.has(name) and reader.has(former):
            reader.refuse(former, f"is the old name of '{name}': leave one out")
    processor = reader.object(field)
    distributed = processor is not None and _mode(processor)
    _check_mode(reader, distributed=distributed)
    legacy = reader.has("Parameters") and not reader.has("ItemSelector")
    return MapFields(
        start="" if processor is None else _start(processor, inner, distributed=distributed),
        distributed=distributed,
        items=_items(reader, distributed=distributed),
        select=_selector(reader, "Parameters" if legacy else "ItemSelector"),
        concurrency=number(reader, "MaxConcurrency"),
        tolerated_count=number(reader, "ToleratedFailureCount"),
        tolerated_percentage=number(reader, "ToleratedFailurePercentage", whole=False, most=100),
        batch=_batcher(reader),
        source=item_reader(reader),
        writer=result_writer(reader),
        label=_label(reader),
    )


def _start(processor: Reader, inner: Inner, *, distributed: bool) -> str:
    """The first inner state. The states of a distributed Map run in child executions of its ExecutionType."""
    notes = processor.notes
    around = notes.express_child
    if distributed:
        notes.express_child = processor.spec["ProcessorConfig"].get("ExecutionType") == "EXPRESS"
    start = inner(processor)
    notes.express_child = around
    return start


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


def _check_mode(reader: Reader, *, distributed: bool) -> None:
    """Checks the fields that a Map may have in one of its modes only.

    AWS creates a workflow whose inline Map reads, batches or writes, and fails the state when it runs; what else is
    of a distributed Map only has no meaning there.
    """
    if distributed:
        check_express(reader, "", "a Map of mode DISTRIBUTED")
        return
    for field, why in _DISTRIBUTED_ONLY.items():
        if reader.has(field):
            reader.warn(field, f"is for the mode DISTRIBUTED: an INLINE Map {why}", "INLINE_MAP")


_TOLERATED = ("ToleratedFailureCount", "ToleratedFailurePercentage")
#: Field -> what an inline Map does with it.
_DISTRIBUTED_ONLY = {
    **dict.fromkeys(("ItemReader", "ItemBatcher", "ResultWriter"), "fails with it when it runs"),
    **dict.fromkeys(("Label", *_TOLERATED, *(f"{field}Path" for field in _TOLERATED)), "does without it"),
}

#: What a label may not hold besides blanks and control characters.
_NOT_IN_LABELS = re.compile(r"[\s\x00-\x1f\x7f-\x9f?*<>{}\[\]:;,\\|^~$#%&`\"]")


def _label(reader: Reader) -> str:
    """Source: "Map state in Distributed mode" (AWS developer guide), Label."""
    label = reader.text("Label")
    if reader.has("Label") and not 0 < len(label) <= 40:
        reader.refuse("Label", "must have 1 to 40 characters")
    if found := _NOT_IN_LABELS.search(label):
        reader.refuse("Label", f"must not contain {found[0]!r}")
    return label


# --- items -------------------------------------------------------------------------------------------------------


def _items(reader: Reader, *, distributed: bool) -> Items:
    return _jsonata_items(reader, distributed=distributed) if reader.jsonata else _jsonpath_items(reader)


def _jsonata_items(reader: Reader, *, distributed: bool) -> Items:
    """An array; of a distributed Map also an object."""
    if not reader.has("Items"):
        kinds = (list, dict) if distributed else list

        def from_input(_scope: Scope, frame: Frame) -> Json:
            if isinstance(frame.input, kinds):
                return frame.input
            raise query_failure(f"Map state input must be an array but was: {json_text(frame.input)}")

        return from_input
    given = reader.spec["Items"]
    if isinstance(given, list) or (distributed and isinstance(given, dict)):
        built = template(reader, "Items")
        return lambda scope, frame: [] if built is None else built({"input": frame.input}, scope)
    get = dynamic(reader, "Items", "array", *(("object",) if distributed else ()))
    if get is None:
        reader.complain("Items", "must be an array or a JSONata expression")
        return lambda _scope, _frame: []
    return get


def _jsonpath_items(reader: Reader) -> Items:
    begin = effective_input(reader)
    path = reader.path("ItemsPath")
    text = "$" if path is None else path.text

    def items(scope: Scope, frame: Frame) -> Json:
        value = frame.input if begin is None else begin(scope, frame)
        try:
            found = value if path is None else path.get(value, scope)
        except PathMissing as missing:
            raise runtime_failure(f"Invalid path '{text}' : {missing}") from None
        if isinstance(found, list | dict):
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


# --- ItemBatcher -------------------------------------------------------------------------------------------------


def _batcher(reader: Reader) -> Callable[[Scope, Frame, list[Json]], list[Json]] | None:
    found = reader.object("ItemBatcher")
    if found is None:
        return None
    names = ("MaxItemsPerBatch", "MaxInputBytesPerBatch")
    limits = names if found.jsonata else (*names, *(f"{name}Path" for name in names))
    found.only(*limits, "BatchInput")
    if not any(found.has(name) for name in limits):
        found.refuse("", f"At least one of these fields is required: [{', '.join(limits)}]")
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
