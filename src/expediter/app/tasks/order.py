"""The tasks of the workflow, each two pure functions.

    request(context) -> Call | None     the call to make; None: the task needs none now
    settle(context) -> Outcome the order, ledger entries and mails that follow from the answer

``perform`` runs a task until it needs a call. It returns that Call, or the Outcome that it stored. The caller makes the
call and performs the task again with the answer. The first try of every call is stored before the call goes out. So a
task that is repeated after a lost answer sees on the order which calls were tried.
"""

from collections.abc import Mapping

import msgspec

from expediter.app.intake import from_document
from expediter.app.mails import mails
from expediter.app.ports import Outcome, TaskPorts
from expediter.app.tasks.calls import Answer, Call, Charge, HandOver, Pending, Refused
from expediter.app.tasks.pending import await_payment, settle_pending
from expediter.app.tasks.reasons import reason
from expediter.app.tasks.refunds import request_owing, request_refund, settle_failure, settle_owing, settle_refund
from expediter.app.tasks.task import OrderTask, TaskContext
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


def perform(
    work: TaskPorts, name: str, input: Json, answer: Answer | None = None, repeat: bool = False
) -> Call | Outcome:
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
        # The task gets the order with its next version number, so its result is written without a further copy.
        order = msgspec.structs.replace(current, updated_at=work.now, version=current.version + 1)
        context = TaskContext(order, input, answer, work.now, work.settings)
        try:
            if answer is None and task.request is not None and (call := task.request(context)) is not None:
                return _announce(work, before, context, call, repeat)
            outcome = task.settle(context)
            if outcome.order is not order or before is None or outcome.entries or outcome.mails:
                work.orders.apply(before, outcome)
        except OrderChanged:
            continue  # another unit wrote the order first: settle on the newer row, without another call
        if not outcome.again:
            return outcome
        answer = None


def _announce(work: TaskPorts, before: Order | None, context: TaskContext, call: Call, repeat: bool) -> Call:
    """Stores the first try of a call. A call whose first try was stored earlier may have gone out before."""
    announced = tried(context.order, call.kind, context.now)
    if announced is context.order:
        repeat = True
    else:
        work.orders.apply(before, Outcome(announced))
    return msgspec.structs.replace(call, repeat=True) if repeat else call


def from_input(name: str, input: Json) -> Order:
    """The order of an execution that has no row yet. Only a task that saves may take it from the input."""
    if name in SAVES:
        return from_document(input["order"])
    raise OrderNotFound(f"The order {input['order']['id']} is not saved. Start the workflow with InitializeOrder.")


# ── save ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def save(context: TaskContext) -> Outcome:
    return Outcome(context.order)


# ── payment ───────────────────────────────────────────────────────────────────────────────────────────────────────


def request_charge(context: TaskContext) -> Call | None:
    """The charge. There is none when the order was cancelled before, or costs nothing."""
    order, charge = context.order, context.order.effects.get(CHARGE)
    amount = order.total
    if amount == 0 or (charge is None and order.cancel_requested_at is not None):
        return None
    if charge is not None and charge.result is not UNKNOWN:
        return None
    return Charge(
        key=order.key(CHARGE),
        order_id=order.id,
        amount=amount,
        currency=order.currency,
        tried_at=context.now if charge is None else charge.tried_at,
        payment_method=None if order.payment_method is msgspec.UNSET else order.payment_method,
        charge_id=None if charge is None else charge.reference,
    )


def settle_charge(context: TaskContext) -> Outcome:
    order, answer = context.order, context.answer
    if type(answer) is Refused:
        declined = settled(order, CHARGE, REFUSED, context.now)
        declined = msgspec.structs.replace(declined, error_message=answer.message, awaited_payment=msgspec.UNSET)
        return Outcome(declined, output=_unpaid(answer.message, answer.try_again))
    if answer is None:
        return _settle_uncharged(context)
    if type(answer) is Pending:
        return settle_pending(context, answer)
    charged = settled(order, CHARGE, DONE, context.now, answer.reference)
    if charged.awaited_payment is not msgspec.UNSET:
        charged = msgspec.structs.replace(charged, awaited_payment=msgspec.UNSET)
    paid = moved(charged, PAID) if order.status is PENDING else charged
    return Outcome(paid, entries=(entry(charged, CHARGE, context.now),), output={"status": "ok"})


def _settle_uncharged(context: TaskContext) -> Outcome:
    """The result that was settled earlier. An order that costs nothing is paid without a charge, and its total is
    frozen."""
    order, result = context.order, context.order.result(CHARGE)
    if result is DONE:
        return Outcome(order, output={"status": "ok"})
    if order.total or order.cancel_requested_at is not None or result is REFUSED:
        return Outcome(order, output=_unpaid(reason(order, context.input)))
    settled_order = settled(order, CHARGE, DONE, context.now)
    return Outcome(moved(settled_order, PAID) if order.status is PENDING else settled_order, output={"status": "ok"})


def _unpaid(message: str, try_again: bool = False) -> Json:
    """A payment that was not made. ``try_again``: the provider says that the same payment may succeed later."""
    return {"status": "error", "error_message": message, "try_again": try_again}


# ── hold ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def close_hold(context: TaskContext) -> Outcome:
    order = context.order
    if order.cancel_requested_at is not None:
        return Outcome(order, output={"cancelled": True})
    if order.hold_closed_at is None:
        order = msgspec.structs.replace(order, hold_closed_at=context.now)
    return Outcome(order, output={"cancelled": False})


# ── restaurant ────────────────────────────────────────────────────────────────────────────────────────────────────


def request_handover(context: TaskContext) -> Call | None:
    """The handover. An order whose money goes back is never handed over, whatever the workflow does."""
    order, handover = context.order, context.order.effects.get(RESTAURANT)
    if order.given_up or (handover is not None and handover.result is not UNKNOWN):
        return None
    return HandOver(
        key=order.key(RESTAURANT),
        order=order,
        tried_at=context.now if handover is None else handover.tried_at,
        task_token=context.input.get("task_token"),
    )


def settle_handover(context: TaskContext) -> Outcome:
    """A refusal is a value; where the workflow waits for the restaurant to bring a token back, it is an error.

    Raises RestaurantRefused.
    """
    order, answer, waits = context.order, context.answer, "task_token" in context.input
    if type(answer) is Refused:
        refused = settled(order, RESTAURANT, REFUSED, context.now)
        refused = msgspec.structs.replace(refused, error_message=answer.message)
        return Outcome(refused, output={"status": "error", "error_message": answer.message}, again=waits)
    if answer is None:
        if order.result(RESTAURANT) is DONE and not order.given_up:
            return Outcome(order, output={"status": "ok"})
        if waits:
            raise RestaurantRefused(reason(order, context.input))
        return Outcome(order, output={"status": "error", "error_message": reason(order, context.input)})
    taken = settled(order, RESTAURANT, DONE, context.now, answer.reference)
    return Outcome(taken, output={"status": "ok"})


# ── the good end ──────────────────────────────────────────────────────────────────────────────────────────


def complete(context: TaskContext) -> Outcome:
    if context.order.cancel_requested_at is not None:
        raise OrderCancelled
    done, settings = moved(context.order, SUCCESS), context.settings
    sent = mails(done, settings) if done.email or settings.notify else ()
    return Outcome(done, mails=sent, output={"status": str(done.status)})


# ── one task that does what its input says ────────────────────────────────────────────────────────────────────────


def by_action(context: TaskContext) -> OrderTask:
    """The task that ``action`` names. Raises OrderInvalid for another action."""
    action = context.input.get("action")
    if action not in ACTIONS:
        raise OrderInvalid((Fault("action", f"ManageOrderState knows {', '.join(ACTIONS)}, not {action!r}"),))
    return ACTIONS[action]


def request_action(context: TaskContext) -> Call | None:
    request = by_action(context).request
    return None if request is None else request(context)


def settle_action(context: TaskContext) -> Outcome:
    return by_action(context).settle(context)


_SAVE = OrderTask(save)
_COMPLETE = OrderTask(complete)
_OWE = OrderTask(settle_owing, request_owing)
_CANCEL = OrderTask(settle_failure, request_refund)

#: What the single task of a workflow with ``ManageOrderState`` can do, by the ``action`` in its Parameters.
ACTIONS: Mapping[str, OrderTask] = {"save": _SAVE, "complete": _COMPLETE, "owe": _OWE, "cancel": _CANCEL}

#: The tasks of order.asl.json.
ORDER_TASKS: Mapping[str, OrderTask] = {
    "InitializeOrder": _SAVE,
    "ProcessPayment": OrderTask(settle_charge, request_charge),
    "AwaitPayment": OrderTask(await_payment),
    "SendOrderToRestaurant": OrderTask(settle_handover, request_handover),
    "CompleteOrder": _COMPLETE,
    "OweRefund": _OWE,
    "RefundPayment": OrderTask(settle_refund, request_refund),
    "CancelFailedOrder": _CANCEL,
}

#: Every task that a workflow may name as a Resource. CloseHold is in earlier releases of order.asl.json.
TASKS: Mapping[str, OrderTask] = {
    **ORDER_TASKS,
    "CloseHold": OrderTask(close_hold),
    "ManageOrderState": OrderTask(settle_action, request_action),
}

#: The tasks that may save an order that has no row yet.
SAVES = frozenset({"InitializeOrder", "ManageOrderState"})
