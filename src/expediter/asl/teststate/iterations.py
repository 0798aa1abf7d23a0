"""The iterations of a mocked Map: its items, what each iteration would get, and how many may fail."""

from typing import Any, NamedTuple

from expediter.asl.errors import StateFailure
from expediter.asl.execution import Frame, Group
from expediter.asl.protocol import Json
from expediter.asl.states.datasets.reading import add_items, item_of
from expediter.asl.states.map_ import THRESHOLD, Map
from expediter.asl.teststate.definition import machine_of, refuse
from expediter.asl.teststate.request import StateRequest
from expediter.asl.teststate.trial import START, OneState


class Iterations(NamedTuple):
    """``items`` None: the definition reads them from a store, and no data of it is given."""

    items: list[Json] | None
    selected: list[Json]
    batches: list[Json] | None
    concurrency: int
    tolerated_count: float | None
    tolerated_percentage: float | None


def iterations(request: StateRequest) -> Iterations | None:
    """What a Map would iterate over; None where it fails before its first iteration, and for another state."""
    run = OneState(request, machine_of(request.name, request.spec, jsonata=request.jsonata), [])
    run.at, run.seed = START, 1
    frame = run.add_frame(Frame(state=request.name, input=request.input, entered_at=START, variables=request.variables))
    run.select(frame)
    state = run.states[request.name]
    try:
        return _evaluated(request, run, frame, state) if isinstance(state, Map) else None
    except StateFailure:
        return None


def _evaluated(request: StateRequest, run: OneState, frame: Frame, state: Map) -> Iterations:
    fields = state.fields
    group = Group()
    if fields.source is None:
        add_items(group, fields.items(run, frame))
    elif request.items is not None:
        group.most = int(fields.source.most(run, frame) or 0)
        add_items(group, fields.source.dataset(request.items))
    items = None if fields.source and request.items is None else group.found
    selected = [state.shaped(run, frame, item_of(group, *item)) for item in enumerate(group.found)]
    batches = None if fields.batch is None else fields.batch(run, frame, selected)
    return Iterations(
        items,
        selected,
        batches,
        int(fields.concurrency(run, frame) or 0),
        fields.tolerated_count(run, frame),
        fields.tolerated_percentage(run, frame),
    )


def exceeded(request: StateRequest, found: Iterations) -> dict[str, str | None] | None:
    """The failure of a Map of which too many iterations fail; AWS asks only what the definition tolerates."""
    failed = request.failed_iterations
    if found.items is not None and failed > len(found.items):
        refuse("Map iteration failure count must be less than or equal to the number of Map iterations")
    count, percentage = found.tolerated_count, found.tolerated_percentage
    beyond = (count is not None and failed > count) or (
        percentage is not None and 100 * failed > percentage * len(found.items or [])
    )
    cause = "The specified tolerated failure threshold was exceeded"
    return {"error": THRESHOLD, "cause": cause} if beyond else None


def inspected(request: StateRequest, found: Iterations) -> dict[str, Any]:
    """The part of the inspection data that only a Map has."""
    data: dict[str, Any] = {"maxConcurrency": found.concurrency}
    if found.tolerated_count is not None:
        data["toleratedFailureCount"] = int(found.tolerated_count)
    if found.tolerated_percentage is not None:
        data["toleratedFailurePercentage"] = float(found.tolerated_percentage)
    if found.items is None:
        return data
    reader = request.spec.get("ItemReader", {})
    if not request.jsonata and "ItemReader" not in request.spec:
        data["afterItemsPath"] = found.items
    if "ItemsPointer" in reader.get("ReaderConfig", {}):
        data["afterItemsPointer"] = found.items
    if "ItemSelector" in request.spec or "Parameters" in request.spec:
        data["afterItemSelector"] = found.selected
    if found.batches is not None:
        data["afterItemBatcher"] = found.batches
    return data
