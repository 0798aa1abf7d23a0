"""The order job on Restate: a workflow of durable steps, keyed by the order's id."""

from datetime import timedelta
from typing import Any

from restate import Workflow, WorkflowContext, app

orders = Workflow("orders")


def save(order: dict[str, Any]) -> dict[str, Any]:
    return {**order, "status": "PENDING"}


def charge(order: dict[str, Any]) -> dict[str, Any]:
    return {"status": "ok", "charge_id": "ch_1", "amount": order["total"]}


def hand_over(order: dict[str, Any]) -> dict[str, Any]:
    return {"status": "ok", "restaurant_id": order["restaurant_id"]}


def complete(order: dict[str, Any]) -> dict[str, Any]:
    return {**order, "status": "SUCCESS"}


@orders.main()
async def run(ctx: WorkflowContext, order: dict[str, Any]) -> str:
    await ctx.run_typed("save", save, order=order)
    payment = await ctx.run_typed("charge", charge, order=order)
    await ctx.sleep(timedelta(0))
    answer = await ctx.run_typed("hand over", hand_over, order=order)
    if (payment["status"], answer["status"]) != ("ok", "ok"):
        return "FAILED"
    return str((await ctx.run_typed("complete", complete, order=order))["status"])


application = app([orders])
