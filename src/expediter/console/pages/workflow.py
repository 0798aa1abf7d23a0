"""The workflow: the current definition, the earlier ones on which orders still run, and a form to try a definition."""

import msgspec

from expediter.api.request import Response
from expediter.app.operator.services import OperatorServices
from expediter.asl import Json
from expediter.console.drawing.flow_graph import flow_graph
from expediter.console.render import drawing, page
from expediter.console.trial import FIELDS
from expediter.console.visit import Visit
from expediter.domain.errors import MessageNotFound

_INPUT = '{\n  "order": {"id": "01890a5d-ac96-774b-bcce-b302099a8057"},\n  "hold_seconds": 30\n}'
_MOCKS = {
    "InitializeOrder": [{"result": None}],
    "ProcessPayment": [{"result": {"status": "ok"}}],
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
    return ".".join(f"{version.live}-{version.percent}" for version in services.runs.versions())


def try_form(services: OperatorServices, visit: Visit) -> Response:
    definition = msgspec.json.format(msgspec.json.encode(services.runs.versions()[0].body), indent=2).decode()
    given = {"definition": definition, "input": _INPUT, "mocks": _spread(_MOCKS)}
    return page("try", visit, given=given, trial=None, graph="")


def try_workflow(_: OperatorServices, visit: Visit) -> Response:
    """The result of the definition in the form, which was tried before (``trial``)."""
    given = {name: visit.form.get(name, "") for name in FIELDS}
    return page("try", visit, given=given, trial=visit.trial, graph=drawing(visit.trial.graph))


def _spread(value: Json) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
