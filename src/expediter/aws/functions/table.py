"""Every function of the stack by name, and where its handler is. Data only: the stack reads it too."""

_HERE = "expediter.aws.functions"

#: One per Task of order.asl.json: the placeholder in the definition, which is the task's name, and its handler.
TASK_FUNCTIONS: dict[str, str] = {
    "InitializeOrder": f"{_HERE}.tasks.initialize_order",
    "ProcessPayment": f"{_HERE}.tasks.process_payment",
    "CloseHold": f"{_HERE}.tasks.close_hold",
    "SendOrderToRestaurant": f"{_HERE}.tasks.send_order_to_restaurant",
    "CompleteOrder": f"{_HERE}.tasks.complete_order",
    "OweRefund": f"{_HERE}.tasks.owe_refund",
    "RefundPayment": f"{_HERE}.tasks.refund_payment",
    "CancelFailedOrder": f"{_HERE}.tasks.cancel_failed_order",
}

#: Everything else.
OTHER_FUNCTIONS: dict[str, str] = {
    "Intake": f"{_HERE}.intake.handler",
    "Rest": f"{_HERE}.rest.handler",
    "Graphql": f"{_HERE}.graphql.handler",
    "Mailer": f"{_HERE}.mailer.handler",
    "Publisher": f"{_HERE}.publisher.handler",
}

FUNCTIONS: dict[str, str] = {**TASK_FUNCTIONS, **OTHER_FUNCTIONS}
