"""The order job on Temporal's dev server with a SQLite file; its production set-up is not measured.

In its favour: workflows start eagerly and their steps are local activities, the fastest that its documentation has;
steps only return; the client is in the worker's process; the sandbox for workflow code is off.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from bench.peers import cells

PORT, QUEUE = 7233, "orders"
LIMIT = timedelta(seconds=30)


@activity.defn
async def save(order: dict[str, Any]) -> dict[str, Any]:
    return {**order, "status": "PENDING"}


@activity.defn
async def charge(order: dict[str, Any]) -> dict[str, Any]:
    return {"status": "ok", "charge_id": "ch_1", "amount": order["total"]}


@activity.defn
async def hand_over(order: dict[str, Any]) -> dict[str, Any]:
    return {"status": "ok", "restaurant_id": order["restaurant_id"]}


@activity.defn
async def complete(order: dict[str, Any]) -> dict[str, Any]:
    return {**order, "status": "SUCCESS"}


@workflow.defn
class Orders:
    @workflow.run
    async def run(self, order: dict[str, Any]) -> str:
        await step(save, order)
        payment = await step(charge, order)
        await asyncio.sleep(0)  # no timer for a hold of 0: in its favour
        answer = await step(hand_over, order)
        if (payment["status"], answer["status"]) != ("ok", "ok"):
            return "FAILED"
        return str((await step(complete, order))["status"])


async def step(do: Callable[..., Any], order: dict[str, Any]) -> dict[str, Any]:
    done: dict[str, Any] = await workflow.execute_local_activity(do, order, start_to_close_timeout=LIMIT)
    return done


async def connected() -> Client:
    """Raises RuntimeError after a minute."""
    for _ in range(300):
        try:
            return await Client.connect(f"127.0.0.1:{PORT}")
        except RuntimeError:
            await asyncio.sleep(0.2)
    raise RuntimeError("Temporal's dev server did not come up")


async def measure() -> None:
    client = await connected()

    async def send(number: int) -> None:
        await client.start_workflow(
            Orders.run, cells.ORDER, id=f"order-{number}", task_queue=QUEUE, request_eager_start=True
        )

    async def result(number: int) -> None:
        if await client.get_workflow_handle(f"order-{number}").result() != "SUCCESS":
            raise RuntimeError(f"order {number} did not succeed")

    async def run(number: int) -> None:
        await send(number)
        await result(number)

    async with Worker(
        client,
        task_queue=QUEUE,
        workflows=[Orders],
        activities=[save, charge, hand_over, complete],
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_concurrent_workflow_tasks=200,
        max_concurrent_local_activities=200,
    ):
        await cells.measure(run, send, result)


def main() -> None:
    folder = cells.options().folder
    command = [str(Path(sys.executable).parent / "temporal"), "server", "start-dev", "--headless", "--port", str(PORT)]
    command += ["--db-filename", str(folder / "temporal.sqlite"), "--log-level", "error"]
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(
            command, stdout=log, stderr=log, env={**os.environ, "TEMPORAL_DISABLE_VERSION_CHECK": "1"}
        )
    with server:
        try:
            asyncio.run(measure())
        finally:
            server.kill()


if __name__ == "__main__":
    main()
