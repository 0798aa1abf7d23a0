"""The tasks of the workflow, each two pure functions.

    request(step) -> Call | None     what to ask an outside party; None: nothing needs asking
    settle(step)  -> Outcome         what the answer (or its absence) makes of the order

``perform`` runs a task against the order's row as far as it goes without the outside: it returns the Call that has to
be made, or the task's output. Whoever made the call performs the task again with the answer. The first try of every
call is written down before the call goes out; a task repeated after a lost answer finds on the row what was done.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias, final

import msgspec

from expediter.app.calls import Answer, Call, Charge, HandOver, Refund, Refunded, Refused, Withdraw
from expediter.app.intake import from_document
from expediter.app.mails import mails
from expediter.app.ports import Outcome, Settings, Work
from expediter.app.reasons import reason
from expediter.asl.protocol import Json
from expediter.domain import ledger
from expediter.domain.errors import (
    Fault,
    OrderCancelled,
    OrderChanged,
    OrderInvalid,
    OrderNotFound,
    RestaurantRefused,
)
from expediter.domain.order import Kind, Order, Result, Status, moved, settled, tried


class Step(msgspec.Struct, frozen=True, gc=False):
    """Where a task stands: the order's row, the task's input, the answer to its call (None before the call)."""

    order: Order
    input: Json
    answer: Answer | None
    now: int
    settings: Settings


class Task(NamedTuple):
    request: Callable[[Step], Call | None]
    settle: Callable[[Step], Outcome]


@final
class Output(msgspec.Struct, frozen=True, gc=False):
    """The task is done; its result in the workflow."""

    value: Json


def perform(work: Work, name: str, input: Json, answer: Answer | None = None, repeat: bool = False) -> Call | Output:
    """Runs the task ``name`` until it needs a call made, or is done. ``repeat``: an earlier try may have gone out.

    Raises OrderError (its name is the ASL error): OrderNotFound, TransitionNotAllowed, OrderCancelled, OrderInvalid.
    """
    task = TASKS[name]
    while True:
        before = work.orders.find(order_id(input))
        step = Step(before or from_input(name, input), input, answer, work.now, work.settings)
        call = task.request(step) if answer is None else None
        try:
            if call is not None:
                return _announce(work, before, step, call, repeat)
            outcome = task.settle(step)
            _apply(work, before, step.order, outcome)
        except OrderChanged:
            continue  # a lost race settles again on the newer row; the call is never made again
        if not outcome.again:
            return Output(outcome.output)
        answer = None


def _announce(work: Work, before: Order | None, step: Step, call: Call, repeat: bool) -> Call:
    """Writes down the first try of a call. A call whose first try was written earlier may have gone out before."""
    announced = tried(step.order, call.kind, step.now)
    if announced is step.order:
        return msgspec.structs.replace(call, repeat=True)
    _apply(work, before, step.order, Outcome(announced))
    return msgspec.structs.replace(call, repeat=repeat)


def _apply(work: Work, before: Order | None, current: Order, outcome: Outcome) -> None:
    if outcome.order is current and before is not None and not outcome.entries and not outcome.mails:
        return
    after = msgspec.structs.replace(outcome.order, updated_at=work.now, version=current.version + 1)
    work.orders.apply(before if current.version else None, msgspec.structs.replace(outcome, order=after))


def order_id(input: Json) -> str:
    """The id of the order that a task's input is about. Raises OrderInvalid when the workflow passes none."""
    try:
        return str(input["order"]["id"])
    except (TypeError, KeyError) as error:
        raise OrderInvalid((Fault("order.id", "the task's input names no order; pass $.order to it"),)) from error


def from_input(name: str, input: Json) -> Order:
    """The order of an execution whose row is not there yet: only a task that saves may take it from the input."""
    if name in SAVES:
        return from_document(input["order"])
    raise OrderNotFound(f"The order {order_id(input)} has not been saved. Start the workflow with InitializeOrder.")


# ── save ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def no_call(_: Step) -> None:
    return None


def save(step: Step) -> Outcome:
    return Outcome(step.order)


# ── payment ───────────────────────────────────────────────────────────────────────────────────────────────────────


def request_charge(step: Step) -> Call | None:
    order = step.order
    if order.result(Kind.CHARGE) in (Result.DONE, Result.REFUSED):
        return None
    if order.cancel_requested_at is not None and Kind.CHARGE not in order.effects:
        return None
    return Charge(
        key=order.key(Kind.CHARGE),
        order_id=order.id,
        amount=order.total,
        currency=order.currency,
        tried_at=_tried_at(step, Kind.CHARGE),
    )


def settle_charge(step: Step) -> Outcome:
    order, answer = step.order, step.answer
    if isinstance(answer, Refused):
        declined = settled(order, Kind.CHARGE, Result.REFUSED, step.now)
        declined = msgspec.structs.replace(declined, error_message=answer.message)
        return Outcome(declined, output={"status": "error", "error_message": answer.message})
    if answer is None:
        if order.result(Kind.CHARGE) is Result.DONE:
            return Outcome(order, output={"status": "ok"})
        return Outcome(order, output={"status": "error", "error_message": reason(order, step.input)})
    charged = settled(order, Kind.CHARGE, Result.DONE, step.now, _reference(answer))
    paid = moved(charged, Status.PAID) if order.status is Status.PENDING else charged
    return Outcome(paid, entries=(_entry(charged, ledger.Kind.CHARGE, step.now),), output={"status": "ok"})


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
    order = step.order
    if order.given_up or order.result(Kind.RESTAURANT) in (Result.DONE, Result.REFUSED):
        return None
    return HandOver(
        key=order.key(Kind.RESTAURANT),
        order=order,
        tried_at=_tried_at(step, Kind.RESTAURANT),
        task_token=step.input.get("task_token"),
    )


def settle_handover(step: Step) -> Outcome:
    """A refusal is a value; where the workflow waits for the restaurant to bring a token back, it is an error.

    Raises RestaurantRefused.
    """
    order, answer, waits = step.order, step.answer, "task_token" in step.input
    if isinstance(answer, Refused):
        refused = settled(order, Kind.RESTAURANT, Result.REFUSED, step.now)
        refused = msgspec.structs.replace(refused, error_message=answer.message)
        return Outcome(refused, output={"status": "error", "error_message": answer.message}, again=waits)
    if answer is None:
        if order.result(Kind.RESTAURANT) is Result.DONE and not order.given_up:
            return Outcome(order, output={"status": "ok"})
        if waits:
            raise RestaurantRefused(reason(order, step.input))
        return Outcome(order, output={"status": "error", "error_message": reason(order, step.input)})
    taken = settled(order, Kind.RESTAURANT, Result.DONE, step.now, _reference(answer))
    return Outcome(taken, output={"status": "ok"})


# ── the end, good or bad ──────────────────────────────────────────────────────────────────────────────────────────


def complete(step: Step) -> Outcome:
    if step.order.cancel_requested_at is not None:
        raise OrderCancelled
    done = moved(step.order, Status.SUCCESS)
    return Outcome(done, mails=mails(done, step.settings), output={"status": done.status})


def request_owing(step: Step) -> Call | None:
    """First what is owed is written down, then a handover that the restaurant took, or may have, is withdrawn."""
    order = step.order
    if order.status is Status.REFUND_PENDING and _may_be_cooking(order):
        return Withdraw(key=order.key(Kind.WITHDRAWAL), order_id=order.id, tried_at=_tried_at(step, Kind.WITHDRAWAL))
    return None


def settle_owing(step: Step) -> Outcome:
    order = step.order
    if step.answer is not None:
        withdrawn = settled(order, Kind.WITHDRAWAL, Result.DONE, step.now, _reference(step.answer))
        return Outcome(withdrawn, output={"status": "ok"})
    owing = owed(step)
    return Outcome(owing, output={"status": "ok"}, again=owing is not order and _may_be_cooking(owing))


def owed(step: Step) -> Order:
    """The order with what is owed written down; unchanged when it is already, or when nothing is."""
    if (step.order.status is Status.REFUND_PENDING and step.order.error_message) or not step.order.owes_refund:
        return step.order
    return moved(step.order, Status.REFUND_PENDING, reason(step.order, step.input))


def request_refund(step: Step) -> Call | None:
    order = step.order
    if not order.owes_refund or owed(step) is not order:
        return None
    charge = order.effects[Kind.CHARGE]
    return Refund(
        key=order.key(Kind.REFUND),
        order_id=order.id,
        charge_key=order.key(Kind.CHARGE),
        charge_id=charge.reference,
        amount=order.total,
        currency=order.currency,
        charge_known=charge.result is Result.DONE,
        tried_at=_tried_at(step, Kind.REFUND),
    )


def settle_refund(step: Step) -> Outcome:
    order, answer = step.order, step.answer
    if not isinstance(answer, Refunded):
        owing = owed(step)
        return Outcome(owing, output={"status": "ok"}, again=owing is not order)
    known = order.result(Kind.CHARGE) is Result.DONE
    if not known:
        result = Result.DONE if answer.charged else Result.REFUSED
        order = settled(order, Kind.CHARGE, result, step.now, answer.charge_id)
    order = settled(order, Kind.REFUND, Result.DONE, step.now, answer.reference)
    charge = (_entry(order, ledger.Kind.CHARGE, step.now),) if answer.charged and not known else ()
    refund = (_entry(order, ledger.Kind.REFUND, step.now),) if answer.charged or known else ()
    return Outcome(order, entries=(*charge, *refund), output={"status": "ok"})


def settle_failure(step: Step) -> Outcome:
    """Ends the order unsuccessfully; where the workflow gave nothing back yet, this does it first."""
    if step.order.owes_refund or isinstance(step.answer, Refunded):
        return msgspec.structs.replace(settle_refund(step), again=True)
    asked = step.order.cancel_requested_at is not None
    why = step.order.error_message or reason(step.order, step.input)
    end = moved(step.order, Status.CANCELLED if asked else Status.FAILED, why)
    return Outcome(end, mails=mails(end, step.settings), output={"status": end.status})


def _may_be_cooking(order: Order) -> bool:
    asked = order.result(Kind.RESTAURANT) in (Result.UNKNOWN, Result.DONE)
    return asked and order.result(Kind.WITHDRAWAL) is not Result.DONE


def _tried_at(step: Step, kind: Kind) -> int:
    return step.order.effects[kind].tried_at if kind in step.order.effects else step.now


def _reference(answer: Answer) -> str | None:
    return None if isinstance(answer, Refused) else answer.reference


def _entry(order: Order, kind: ledger.Kind, now: int) -> ledger.Entry:
    effect = Kind(kind.value)
    return ledger.Entry(
        order_id=order.id,
        kind=kind,
        key=order.key(effect),
        amount=order.total,
        currency=order.currency,
        at=now,
        reference=order.effects[effect].reference,
    )


# ── one task that does what its input says ────────────────────────────────────────────────────────────────────────


def by_action(step: Step) -> Task:
    """The task that ``action`` names. Raises OrderInvalid for another action."""
    action = step.input.get("action")
    if action not in ACTIONS:
        raise OrderInvalid((Fault("action", f"ManageOrderState knows {', '.join(ACTIONS)}, not {action!r}"),))
    return ACTIONS[action]


def request_action(step: Step) -> Call | None:
    return by_action(step).request(step)


def settle_action(step: Step) -> Outcome:
    return by_action(step).settle(step)


_SAVE = Task(no_call, save)
_COMPLETE = Task(no_call, complete)
_OWE = Task(request_owing, settle_owing)
_CANCEL = Task(request_refund, settle_failure)

#: What the single task of a workflow with ``ManageOrderState`` can do, by the ``action`` in its Parameters.
ACTIONS: Mapping[str, Task] = {"save": _SAVE, "complete": _COMPLETE, "owe": _OWE, "cancel": _CANCEL}

#: Every task that a workflow may name as a Resource.
TASKS: Mapping[str, Task] = {
    "InitializeOrder": _SAVE,
    "ProcessPayment": Task(request_charge, settle_charge),
    "CloseHold": Task(no_call, close_hold),
    "SendOrderToRestaurant": Task(request_handover, settle_handover),
    "CompleteOrder": _COMPLETE,
    "OweRefund": _OWE,
    "RefundPayment": Task(request_refund, settle_refund),
    "CancelFailedOrder": _CANCEL,
    "ManageOrderState": Task(request_action, settle_action),
}

#: The tasks that may save an order that has no row yet.
SAVES = frozenset({"InitializeOrder", "ManageOrderState"})

Performed: TypeAlias = Call | Output
