"""The workflow: what is in force, what still runs on earlier versions, and a place to try a definition out."""

from itertools import pairwise
from typing import NamedTuple

import msgspec

from expediter.api.request import Response
from expediter.app.operator.services import OperatorServices
from expediter.app.strict_json import decode
from expediter.asl import DefinitionInvalid, Fault, Json, Simulation, Unanswered, parse, simulate
from expediter.console.drawing.flow_graph import flow_graph
from expediter.console.render import drawing, page
from expediter.console.visit import Visit
from expediter.domain.errors import Fault as InputFault
from expediter.domain.errors import MessageNotFound, OrderInvalid

_INPUT = '{\n  "order": {"id": "01890a5d-ac96-774b-bcce-b302099a8057"},\n  "hold_seconds": 30\n}'
_MOCKS = {
    "InitializeOrder": [{"result": None}],
    "ProcessPayment": [{"result": {"status": "ok"}}],
    "CloseHold": [{"result": {"cancelled": False}}],
    "SendOrderToRestaurant": [{"failed": True, "error": "RestaurantUnavailable"}, {"result": {"status": "ok"}}],
    "CompleteOrder": [{"result": {"status": "SUCCESS"}}],
}


def show_workflow(services: OperatorServices, visit: Visit) -> Response:
    """The definition in force, or the earlier one that the address names. Raises MessageNotFound."""
    versions = services.runs.versions()
    wanted = visit.query.get("version", versions[0].hash)
    shown = next((version for version in versions if version.hash == wanted), None)
    if shown is None:
        raise MessageNotFound("There is no such version of the workflow.")
    graph = drawing(flow_graph(shown.body))
    return page("workflow", visit, versions=versions, shown=shown, graph=graph, mark=workflow_mark(services))


def workflow_mark(services: OperatorServices) -> str:
    return ".".join(str(version.live) for version in services.runs.versions())


class Trial(NamedTuple):
    """What became of a pasted definition: its faults, else its graph, else how the run went."""

    faults: tuple[Fault, ...] = ()
    problem: str = ""
    graph: object = ""
    run: Simulation | None = None


def try_form(services: OperatorServices, visit: Visit) -> Response:
    definition = msgspec.json.format(msgspec.json.encode(services.runs.versions()[0].body), indent=2).decode()
    given = {"definition": definition, "input": _INPUT, "mocks": _spread(_MOCKS)}
    return page("try", visit, given=given, trial=None)


def try_workflow(_: OperatorServices, visit: Visit) -> Response:
    """Checks the definition, draws it, and, when asked to, runs it with the answers given, in virtual time."""
    given = {name: visit.form.get(name, "") for name in ("definition", "input", "mocks")}
    return page("try", visit, given=given, trial=tried(given, run=visit.form.get("act") == "run"))


def tried(given: dict[str, str], *, run: bool) -> Trial:
    try:
        machine = parse(given["definition"])
    except DefinitionInvalid as error:
        return Trial(error.faults)
    if not run:
        return Trial(machine.warnings, graph=drawing(flow_graph(machine.definition)))
    try:
        told, mocks = _json(given["input"], "The input"), _json(given["mocks"], "The answers")
        result = simulate(machine, told, mocks=mocks)
    except (OrderInvalid, Unanswered) as error:
        return Trial(machine.warnings, str(error), drawing(flow_graph(machine.definition)))
    except (AttributeError, KeyError, TypeError) as error:  # answers of another shape than ``simulate`` describes
        problem = f"The answers have not the form that is asked for: {error}"
        return Trial(machine.warnings, problem, drawing(flow_graph(machine.definition)))
    return Trial(machine.warnings, graph=_drawn(machine.definition, result), run=result)


def _drawn(definition: Json, result: Simulation) -> object:
    names = result.states_entered
    taken = frozenset(pairwise(names))
    walked = dict.fromkeys(names, "done")
    if result.status != "SUCCEEDED" and names:
        walked[names[-1]] = "failed" if result.status != "RUNNING" else "current"
    return drawing(flow_graph(definition, walked, taken))


def _json(text: str, what: str) -> Json:
    try:
        return decode((text or "null").encode("utf-8", "replace"), object)
    except (msgspec.DecodeError, RecursionError) as error:
        raise OrderInvalid((InputFault("", f"{what} is no JSON: {error}"),)) from error


def _spread(value: Json) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
