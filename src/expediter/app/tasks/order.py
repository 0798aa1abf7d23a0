"""The tasks of the workflow, each two pure functions.

    request(step) -> Call | None     what to ask a gateway; None: nothing needs asking
    settle(step)  -> Outcome         what the answer (or its absence) makes of the order

``perform`` runs a task against the order's row as far as it goes without the outside: it returns the Call that has to
be made, or the Outcome that it stored. Whoever made the call performs the task again with the answer. The first try of
every call is written down before the call goes out; a task repeated after a lost answer finds on the row what was done.
"""

from collections.abc import Mapping

import msgspec

from expediter.app.intake import from_document
from expediter.app.mails import mails
from expediter.app.ports import Outcome, Work
from expediter.app.tasks.calls import Answer, Call, Charge, HandOver, Refused
from expediter.app.tasks.reasons import reason
from expediter.app.tasks.refunds import request_owing, request_refund, settle_failure, settle_owing, settle_refund
from expediter.app.tasks.task import Step, Task
from expediter.asl.protocol import Json
from expediter.domain.errors import (
    Fault,
    OrderCancelled,
    OrderChanged,
    OrderInvalid,
    OrderNotFound,
    RestaurantRefused,
)
from expediter.domain.order import (
    CHARGE,
    DONE,
    PAID,
    PENDING,
    REFUSED,
    RESTAURANT,
    SUCCESS,
    UNKNOWN,
    Order,
    entry,
    moved,
    settled,
    tried,
)


def perform(work: Work, name: str, input: Json, answer: Answer | None = None, repeat: bool = False) -> Call | Outcome:
    """Runs the task ``name`` until it needs a call made, or is done. ``repeat``: an earlier try may have gone out.

    Raises OrderError (its name is the ASL error): OrderNotFound, TransitionNotAllowed, OrderCancelled, OrderInvalid.
    """
    task = TASKS[name]
    try:
        wanted = str(input["order"]["id"])
    except (TypeError, KeyError) as error:
        raise OrderInvalid((Fault("order.id", "the task's input names no order; pass $.order to it"),)) from error
    while True:
        before = work.orders.find(wanted)
        current = before or from_input(name, input)
        # The task gets the order as its next version, so that what it makes of it is written as it stands.
        order = msgspec.structs.replace(current, updated_at=work.now, version=current.version + 1)
        step = Step(order, input, answer, work.now, work.settings)
        try:
            if answer is None and task.request is not None and (call := task.request(step)) is not None:
                return _announce(work, before, step, call, repeat)
            outcome = task.settle(step)
            if outcome.order is not order or before is None or outcome.entries or outcome.mails:
                work.orders.apply(before, outcome)
        except OrderChanged:
            continue  # a lost race settles again on the newer row; the call is never made again
        if not outcome.again:
            return outcome
        answer = None


def _announce(work: Work, before: Order | None, step: Step, call: Call, repeat: bool) -> Call:
    """Writes down the first try of a call. A call whose first try was written earlier may have gone out before."""
    announced = tried(step.order, call.kind, step.now)
    if announced is step.order:
        repeat = True
    else:
        work.orders.apply(before, Outcome(announced))
    return msgspec.structs.replace(call, repeat=True) if repeat else call


def from_input(name: str, input: Json) -> Order:
    """The order of an execution whose row is not there yet: only a task that saves may take it from the input."""
    if name in SAVES:
        return from_document(input["order"])
    raise OrderNotFound(f"The order {input['order']['id']} is not saved. Start the workflow with InitializeOrder.")


# ── save ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def save(step: Step) -> Outcome:
    return Outcome(step.order)


# ── payment ───────────────────────────────────────────────────────────────────────────────────────────────────────


def request_charge(step: Step) -> Call | None:
    order, charge = step.order, step.order.effects.get(CHARGE)
    if charge is None and order.cancel_requested_at is not None:
        return None
    if charge is not None and charge.result is not UNKNOWN:
        return None
    return Charge(
        key=order.key(CHARGE),
        order_id=order.id,
        amount=order.total,
        currency=order.currency,
        tried_at=step.now if charge is None else charge.tried_at,
    )


def settle_charge(step: Step) -> Outcome:
    order, answer = step.order, step.answer
    if type(answer) is Refused:
        declined = settled(order, CHARGE, REFUSED, step.now)
        declined = msgspec.structs.replace(declined, error_message=answer.message)
        return Outcome(declined, output={"status": "error", "error_message": answer.message})
    if answer is None:
        if order.result(CHARGE) is DONE:
            return Outcome(order, output={"status": "ok"})
        return Outcome(order, output={"status": "error", "error_message": reason(order, step.input)})
    charged = settled(order, CHARGE, DONE, step.now, answer.reference)
    paid = moved(charged, PAID) if order.status is PENDING else charged
    return Outcome(paid, entries=(entry(charged, CHARGE, step.now),), output={"status": "ok"})


# ── hold ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def close_hold(step: Step) -> Outcome:
    order = step.order
    if order.cancel_requested_at is not None:
        return Outcome(order, output={"cancelled": True})
    if order.hold_closed_at is None:
        order = msgspec.structs.replace(order, hold_closed_at=step.now)
    return Outcome(order, output={"cancelled": False})


# ── restaurant ────────────────────────────────────────────────────────────────────────────────────────────────────


def request_handover(step: Step) -> Call | None:
    """An order that was given up is never handed over, whatever workflow leads here: its money goes back."""
    order, handover = step.order, step.order.effects.get(RESTAURANT)
    if order.given_up or (handover is not None and handover.result is not UNKNOWN):
        return None
    return HandOver(
        key=order.key(RESTAURANT),
        order=order,
        tried_at=step.now if handover is None else handover.tried_at,
        task_token=step.input.get("task_token"),
    )


def settle_handover(step: Step) -> Outcome:
    """A refusal is a value; where the workflow waits for the restaurant to bring a token back, it is an error.

    Raises RestaurantRefused.
    """
    order, answer, waits = step.order, step.answer, "task_token" in step.input
    if type(answer) is Refused:
        refused = settled(order, RESTAURANT, REFUSED, step.now)
        refused = msgspec.structs.replace(refused, error_message=answer.message)
        return Outcome(refused, output={"status": "error", "error_message": answer.message}, again=waits)
    if answer is None:
        if order.result(RESTAURANT) is DONE and not order.given_up:
            return Outcome(order, output={"status": "ok"})
        if waits:
            raise RestaurantRefused(reason(order, step.input))
        return Outcome(order, output={"status": "error", "error_message": reason(order, step.input)})
    taken = settled(order, RESTAURANT, DONE, step.now, answer.reference)
    return Outcome(taken, output={"status": "ok"})


# ── the good end ──────────────────────────────────────────────────────────────────────────────────────────


def complete(step: Step) -> Outcome:
    if step.order.cancel_requested_at is not None:
        raise OrderCancelled
    done = moved(step.order, SUCCESS)
    return Outcome(done, mails=mails(done, step.settings), output={"status": str(done.status)})


# ── one task that does what its input says ────────────────────────────────────────────────────────────────────────


def by_action(step: Step) -> Task:
    """The task that ``action`` names. Raises OrderInvalid for another action."""
    action = step.input.get("action")
    if action not in ACTIONS:
        raise OrderInvalid((Fault("action", f"ManageOrderState knows {', '.join(ACTIONS)}, not {action!r}"),))
    return ACTIONS[action]


def request_action(step: Step) -> Call | None:
    request = by_action(step).request
    return None if request is None else request(step)


def settle_action(step: Step) -> Outcome:
    return by_action(step).settle(step)


_SAVE = Task(save)
_COMPLETE = Task(complete)
_OWE = Task(settle_owing, request_owing)
_CANCEL = Task(settle_failure, request_refund)

#: What the single task of a workflow with ``ManageOrderState`` can do, by the ``action`` in its Parameters.
ACTIONS: Mapping[str, Task] = {"save": _SAVE, "complete": _COMPLETE, "owe": _OWE, "cancel": _CANCEL}

#: The tasks of order.asl.json.
ORDER_TASKS: Mapping[str, Task] = {
    "InitializeOrder": _SAVE,
    "ProcessPayment": Task(settle_charge, request_charge),
    "CloseHold": Task(close_hold),
    "SendOrderToRestaurant": Task(settle_handover, request_handover),
    "CompleteOrder": _COMPLETE,
    "OweRefund": _OWE,
    "RefundPayment": Task(settle_refund, request_refund),
    "CancelFailedOrder": _CANCEL,
}

#: Every task that a workflow may name as a Resource.
TASKS: Mapping[str, Task] = {**ORDER_TASKS, "ManageOrderState": Task(settle_action, request_action)}

#: The tasks that may save an order that has no row yet.
SAVES = frozenset({"InitializeOrder", "ManageOrderState"})
