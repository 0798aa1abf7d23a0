"""One function per task of the workflow. An exception's class name is the error's name in Step Functions."""

from collections.abc import Callable

from expediter.app.ports import Outcome
from expediter.app.tasks.order import perform
from expediter.asl.protocol import Json
from expediter.aws import clock, wiring


def run(name: str, given: Json) -> Json:
    """Performs the task until it is done, and makes the calls that it needs made. Raises OrderError.

    The first try of a call is on the order's row before it goes out, so that a repeat of this function asks first.
    """
    result = perform(wiring.work(), name, given)
    while not isinstance(result, Outcome):
        answer = wiring.parties().call(result, clock.now())
        result = perform(wiring.work(), name, given, answer)
    return result.output


def _task(name: str) -> Callable[[Json, object], Json]:
    def handler(event: Json, _: object) -> Json:
        return run(name, event)

    return handler


initialize_order = _task("InitializeOrder")
process_payment = _task("ProcessPayment")
close_hold = _task("CloseHold")
send_order_to_restaurant = _task("SendOrderToRestaurant")
complete_order = _task("CompleteOrder")
owe_refund = _task("OweRefund")
refund_payment = _task("RefundPayment")
cancel_failed_order = _task("CancelFailedOrder")
