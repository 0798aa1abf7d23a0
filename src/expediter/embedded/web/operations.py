"""Every operation of openapi.json, and how this server carries it out: one table."""

import asyncio
from collections.abc import Callable, Coroutine
from enum import Enum
from functools import partial
from typing import NamedTuple, TypeAlias

import msgspec

from expediter.api import rest
from expediter.api.access import NEEDS, Need
from expediter.api.errors import NotReady
from expediter.api.repeats import ONCE, REPLAYED
from expediter.api.request import JSON, Request, Response
from expediter.app.operator import audit
from expediter.app.operator.audit import record_operation
from expediter.app.operator.services import OperatorServices
from expediter.app.outages import text
from expediter.app.ports import Work
from expediter.embedded.engine.workflows import HistoryTakesLong
from expediter.embedded.web.backend import Backend
from expediter.embedded.web.routes import workflow
from expediter.embedded.web.routes.audit import list_audit
from expediter.embedded.web.routes.customers import erase_user, get_customer_page
from expediter.embedded.web.routes.events import (
    delete_dead_event,
    list_dead_events,
    receive_payment_event,
    receive_stripe_event,
    redrive_dead_event,
)
from expediter.embedded.web.routes.keys import add_key, list_keys, revoke_key
from expediter.embedded.web.routes.mails import get_mails, list_mails, resend_mails
from expediter.embedded.web.routes.once import carry_out_once, said
from expediter.embedded.web.routes.reconciliation import reconcile
from expediter.embedded.web.routes.tasks import send_task_failure, send_task_heartbeat, send_task_success

_JSON = (("Content-Type", JSON),)
_METRICS = (("Content-Type", "text/plain; version=0.0.4; charset=utf-8"),)


class Kind(Enum):
    """Read: answered from what is committed. Write: one unit of work, answered after the commit that holds it.
    Act: a write that the audit names an operator for. Steps: does several things one after the other. Server: says
    something about this process.
    """

    READ = "read"
    WRITE = "write"
    ACT = "act"
    STEPS = "steps"
    SERVER = "server"


class Operation(NamedTuple):
    kind: Kind
    #: Raises OrderError, at once or in the future.
    carry_out: Callable[[Backend, Request], Response | asyncio.Future[Response]]
    #: What its caller needs.
    need: Need = "token"


_Handler: TypeAlias = Callable[[Work, Request], Response]
_Steps: TypeAlias = Callable[[Backend, Request], Coroutine[None, None, Response]]


def read(handle: _Handler) -> Operation:
    def carry_out(home: Backend, request: Request) -> Response | asyncio.Future[Response]:
        try:
            return home.read_in_turn(lambda work: handle(work, request))
        except HistoryTakesLong as long:
            return asyncio.create_task(home.read_with_history(lambda work: handle(work, request), long.name))

    return Operation(Kind.READ, carry_out)


def write(handle: _Handler, name: str) -> Operation:
    """``name``: of the unit of work, in metrics and crash tests."""
    return Operation(Kind.WRITE, lambda home, request: home.write(lambda work: handle(work, request), name))


def act(handle: _Handler, name: str) -> Operation:
    """As ``write``, with the operator's name in the audit. A repeat is not recorded."""

    def recorded(request: Request, services: OperatorServices) -> Response:
        response = handle(services.work, request)
        if REPLAYED in response.headers:
            return response
        record_operation(services, request.caller, name, request.params.get("id"))
        return response

    async def carry_out(home: Backend, request: Request) -> Response:
        return await home.write_as_operator(partial(recorded, request), name)

    return steps(carry_out)._replace(kind=Kind.ACT)


def act_once(handle: _Handler, name: str) -> Operation:
    """As ``act``. A repeat of the request under its key gets the first answer, and changes nothing."""

    def recorded(request: Request, services: OperatorServices) -> bytes:
        response = handle(services.work, request)
        record_operation(services, request.caller, name, request.params.get("id"))
        return response.body

    async def carry_out(home: Backend, request: Request) -> Response:
        answer = await carry_out_once(home, request, name, partial(recorded, request))
        response = Response(200, _JSON, answer.body) if answer.body else Response(204)
        return said(response, answer)

    return steps(carry_out)._replace(kind=Kind.ACT)


def steps(handle: _Steps) -> Operation:
    return Operation(Kind.STEPS, lambda home, request: asyncio.create_task(handle(home, request)))


def server(handle: Callable[[Backend], Response]) -> Operation:
    return Operation(Kind.SERVER, lambda home, _: handle(home))


def health(_: Backend) -> Response:
    return Response(200, _JSON, b'{"status":"ok"}')


def readiness(home: Backend) -> Response:
    """Raises NotReady."""
    if not home.ready():
        raise NotReady(" ".join(map(text, home.outages())))
    return Response(200, _JSON, msgspec.json.encode({"status": "ready", "simulated": home.settings.simulated}))


def metrics(home: Backend) -> Response:
    return Response(200, _METRICS, home.metrics())


def _of_rest(name: str, operation: rest.Operation) -> Operation:
    if not operation.writes:
        return read(operation.handle)
    if name in ONCE:
        return act_once(operation.handle, name)
    return act(operation.handle, name) if name in audit.OPERATIONS else write(operation.handle, name)


_CARRIED_OUT: dict[str, Operation] = {
    **{name: _of_rest(name, operation) for name, operation in rest.OPERATIONS.items()},
    "sendTaskSuccess": steps(send_task_success),
    "sendTaskFailure": steps(send_task_failure),
    "sendTaskHeartbeat": steps(send_task_heartbeat),
    "receiveStripeEvent": steps(receive_stripe_event),
    "receivePaymentEvent": steps(receive_payment_event),
    "listDeadEvents": Operation(Kind.READ, list_dead_events),
    "redriveDeadEvent": steps(redrive_dead_event),
    "deleteDeadEvent": steps(delete_dead_event),
    "eraseUser": steps(erase_user),
    "reconcile": steps(reconcile)._replace(kind=Kind.READ),
    "redriveOrder": steps(workflow.redrive_order),
    "listWorkflowVersions": Operation(Kind.READ, workflow.list_versions),
    "getWorkflowVersion": Operation(Kind.READ, workflow.get_version),
    "countWorkflowStates": Operation(Kind.READ, workflow.count_states),
    "publishWorkflowVersion": steps(workflow.publish_version),
    "setWorkflowRouting": steps(workflow.set_routing),
    "undoWorkflowRouting": steps(workflow.undo_routing),
    "getCustomerPage": Operation(Kind.READ, get_customer_page),
    "getMails": Operation(Kind.READ, get_mails),
    "listMails": Operation(Kind.READ, list_mails),
    "resendMails": steps(resend_mails),
    "listAudit": Operation(Kind.READ, list_audit),
    "listKeys": Operation(Kind.READ, list_keys),
    "addKey": steps(add_key),
    "revokeKey": steps(revoke_key),
    "getHealth": server(health),
    "getReadiness": server(readiness),
    "getMetrics": server(metrics),
}

#: By operationId.
OPERATIONS: dict[str, Operation] = {
    name: operation._replace(need=NEEDS[name]) for name, operation in _CARRIED_OUT.items()
}
