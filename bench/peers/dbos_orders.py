"""The order job on DBOS, as its documentation has it: a workflow of steps, on its default database, SQLite.

In its favour: the file is in WAL mode, which DBOS does not set and takes as it finds it (synchronous=FULL stays the
default); steps only return; nothing is logged; the client is in the same process, so no request is parsed.
Asynchronous workflows were tried, and take fewer orders a second.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from dbos import DBOS, DBOSConfig, SetWorkflowID

from bench.peers import cells


@DBOS.step()
def save(order: dict[str, Any]) -> dict[str, Any]:
    return {**order, "status": "PENDING"}


@DBOS.step()
def charge(order: dict[str, Any]) -> dict[str, Any]:
    return {"status": "ok", "charge_id": "ch_1", "amount": order["total"]}


@DBOS.step()
def hand_over(order: dict[str, Any]) -> dict[str, Any]:
    return {"status": "ok", "restaurant_id": order["restaurant_id"]}


@DBOS.step()
def complete(order: dict[str, Any]) -> dict[str, Any]:
    return {**order, "status": "SUCCESS"}


@DBOS.workflow()
def process(order: dict[str, Any]) -> str:
    save(order)
    payment = charge(order)
    DBOS.sleep(0)
    answer = hand_over(order)
    taken = (payment["status"], answer["status"]) == ("ok", "ok")
    return str(complete(order)["status"]) if taken else "FAILED"


def start(number: int) -> None:
    with SetWorkflowID(f"order-{number}"):
        DBOS.start_workflow(process, cells.ORDER)


def result(number: int) -> None:
    if DBOS.retrieve_workflow(f"order-{number}").get_result() != "SUCCESS":
        raise RuntimeError(f"order {number} did not succeed")


def run(number: int) -> None:
    with SetWorkflowID(f"order-{number}"):
        if process(cells.ORDER) != "SUCCESS":
            raise RuntimeError(f"order {number} did not succeed")


async def main() -> None:
    file = cells.options().folder / "dbos.sqlite"
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    connection.close()
    config: DBOSConfig = {
        "name": "orders",
        "system_database_url": f"sqlite:///{file}",
        "log_level": "ERROR",
        "run_admin_server": False,
        "max_executor_threads": 128,
    }
    DBOS(config=config)
    DBOS.launch()
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(128) as threads:

        def client(do: Callable[[int], None]) -> cells.Client:
            async def call(number: int) -> None:
                await loop.run_in_executor(threads, do, number)

            return call

        await cells.measure(client(run), client(start), client(result))
    DBOS.destroy()


if __name__ == "__main__":
    asyncio.run(main())
