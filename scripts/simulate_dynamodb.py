"""How many orders a second DynamoDB's keys allow: python -m scripts.simulate_dynamodb (needs `make setup-aws`)

The adapters walk thousands of orders over tables in memory that count what each key is asked for, by DynamoDB's rules:

- a write costs one unit per KiB of its row, begun ones whole, and twice that in a transaction; each index whose key it
  sets, moves or removes costs a unit more for every row written or removed there;
- a read costs one unit per 4 KiB, half of that when it need not be consistent (lists of an index).

A key takes 1,000 write units and 3,000 read units a second. The ceiling of an access pattern is what its hottest key
allows.
Written to docs/measured/dynamodb.json; scripts/generate_docs.py makes docs/reference/aws-ceilings.md of it.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
"""

import json
import re
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, cast

import msgspec

from expediter.app.gateways import ROUTES
from expediter.app.ports import Claim, OrderSettings, Outcome, Query, TaskPorts
from expediter.app.tasks.order import perform
from expediter.asl.protocol import Json
from expediter.aws.sending.mailer import Mailer
from expediter.aws.sending.publisher import Publisher
from expediter.aws.settings import OPERATORS
from expediter.aws.stores.claims import DynamoClaims
from expediter.aws.stores.orders import DynamoOrders, Tables
from expediter.aws.stores.tables import TABLES, Name, Table
from expediter.domain.order import Status, cancelled

RESULT = Path(__file__).parents[1] / "docs/measured/dynamodb.json"
#: Units a second that one key takes.
WRITES, READS = 1000, 3000
#: What is asked of the design, and the units a second of a table or an index before an account asks for more.
WANTED, QUOTA = 10_000, 40_000
#: Orders of a simulated walk.
ORDERS = 2_000

_SET = re.compile(r"(#?\w+) = (?:if_not_exists\([^)]*, )?(:\w+)")
_Item: TypeAlias = dict[str, Any]


class Counted:
    """DynamoDB's client for tables in memory. ``writes`` and ``reads``: units by table or index, and key."""

    def __init__(self) -> None:
        self.writes: dict[tuple[str, str], float] = defaultdict(float)
        self.reads: dict[tuple[str, str], float] = defaultdict(float)
        self._tables = {str(table.name): table for table in TABLES}
        self._rows: dict[str, dict[tuple[str, ...], _Item]] = {name: {} for name in self._tables}

    def put_item(self, *, twice: bool = False, **put: Json) -> None:
        self._write(put["TableName"], put["Item"], twice)

    def update_item(self, *, twice: bool = False, **update: Json) -> None:
        table, names = update["TableName"], update.get("ExpressionAttributeNames", {})
        given_key: _Item = update["Key"]
        row = self._rows[table].get(self._key(table, given_key), given_key)
        values = update.get("ExpressionAttributeValues", {})
        _, _, removed = update["UpdateExpression"].partition("REMOVE ")
        given = {names.get(name, name): values[it] for name, it in _SET.findall(update["UpdateExpression"])}
        kept = {name: value for name, value in row.items() if name not in removed.split(", ")}
        self._write(table, {**kept, **given}, twice)

    def transact_write_items(self, TransactItems: list[_Item]) -> None:  # noqa: N803  # boto3's name
        for item in TransactItems:
            ((kind, it),) = item.items()
            (self.put_item if kind == "Put" else self.update_item)(twice=True, **it)

    def get_item(self, **get: Json) -> _Item:
        table = get["TableName"]
        row = self._rows[table].get(self._key(table, get["Key"]))
        self.reads[table, get["Key"][self._tables[table].hash]["S"]] += _units(row or {}, 4)
        return {"Item": row} if row else {}

    def batch_get_item(self, RequestItems: _Item) -> _Item:  # noqa: N803  # boto3's name
        ((table, asked),) = RequestItems.items()
        return {"Responses": {table: [self.get_item(TableName=table, Key=key)["Item"] for key in asked["Keys"]]}}

    def get_paginator(self, _: str) -> "Counted":
        return self

    def paginate(self, **query: Json) -> Iterator[_Item]:
        """The first page of an index: the lists that are measured need no second one."""
        table = self._tables[query["TableName"]]
        index = next(index for index in table.indexes if index.name == query["IndexName"])
        value = query["ExpressionAttributeValues"][":hash"]["S"]
        rows = [row for row in self._rows[table.name].values() if row.get(index.hash) == {"S": value}]
        found = sorted(rows, key=lambda row: str(row[index.range]["S"]), reverse=True)
        keys = {table.hash, table.range or table.hash, index.hash, index.range}
        page = [{name: row[name] for name in keys} for row in found[: query["PaginationConfig"]["PageSize"]]]
        self.reads[index.name, value] += sum(_size(row) for row in page) // 4096 / 2 + 0.5
        yield {"Items": page}

    def _key(self, table: str, row: _Item) -> tuple[str, ...]:
        made = self._tables[table]
        return tuple(str(row[name]["S"]) for name in (made.hash, made.range) if name)

    def _write(self, name: str, after: _Item, twice: bool) -> None:
        table, key = self._tables[name], self._key(name, after)
        before = self._rows[name].get(key, {})
        self._rows[name][key] = after
        self.writes[name, key[0]] += max(_units(before, 1), _units(after, 1)) * (2 if twice else 1)
        for index, value in _moved(table, before, after):
            self.writes[index, value] += 1


def _moved(table: Table, before: _Item, after: _Item) -> Iterator[tuple[str, str]]:
    """The rows of indexes that are removed and written."""
    for index in table.indexes:
        old, new = ((row.get(index.hash), row.get(index.range)) for row in (before, after))
        yield from ((index.name, it[0]["S"]) for it in (old, new) if old != new and it[0] and it[1])


def _size(row: _Item) -> int:
    return sum(len(name) + len(str(next(iter(value.values()))).encode()) for name, value in row.items())


def _units(row: _Item, kib: int) -> int:
    return max(1, -(-_size(row) // (kib * 1024)))


class Post:
    """What takes mails and news: nothing of it is counted."""

    def publish(self, *_: object, **__: object) -> None:
        """As SNS and the feed have it."""

    def send_email(self, **_: object) -> None:
        """As SES has it."""


class Shop:
    """Orders on counted tables: each of a customer and a restaurant of its own, or all of the same one."""

    def __init__(self, *, customer: str | None = None, restaurant: str | None = None) -> None:
        self.client = Counted()
        self._same = customer, restaurant
        client, post = cast("Any", self.client), cast("Any", Post())
        self._claims = DynamoClaims(client, Name.CLAIMS)
        self._mailer = Mailer(tables=client, table=Name.MAIL, sns=post, topic="", ses=post, sender="us@example.com")
        self._publisher = Publisher(client, Name.ORDERS, post)
        self.orders = DynamoOrders(cast("Any", self.client), Tables(Name.ORDERS, Name.CLAIMS, Name.LEDGER, Name.MAIL))
        self._placed = 0

    def place(self) -> str:
        """An order whose message was taken in and whose row is there."""
        self._placed += 1
        order_id = str(uuid.uuid5(uuid.NAMESPACE_OID, str(self._placed)))
        customer, restaurant = (same or f"{order_id[:8]} {place}" for place, same in enumerate(self._same))
        items = [{"name": "Burger", "quantity": 3, "unit_price": 1000}]
        order = {"id": order_id, "user_id": customer, "restaurant_id": restaurant, "name": "Burger", "currency": "USD"}
        self._given: Json = {"order": {**order, "items": items, "email": "ann@example.com", "created_at": self._placed}}
        self._claims.claim(Claim(order_id, "fingerprint" * 6))
        self.run("InitializeOrder")
        return order_id

    def run(self, *tasks: str, decline: float = 0) -> None:
        """Tasks of the order that was placed last."""
        for name in tasks:
            settings = OrderSettings(notify=(OPERATORS,))
            ports = TaskPorts(orders=self.orders, settings=settings, now=self._placed)
            result = perform(ports, name, self._given)
            while not isinstance(result, Outcome):
                result = perform(ports, name, self._given, ROUTES[type(result)].simulate(decline, result))

    def cancel(self, order_id: str) -> None:
        order = self.orders.find(order_id)
        assert order is not None
        changed = msgspec.structs.replace(cancelled(order, self._placed), version=order.version + 1)
        self.orders.apply(order, Outcome(changed))

    def tell(self) -> None:
        """The mails and the last news of the order that was placed last, by what follows the streams."""
        order = self._given["order"]
        found = self.orders.find(order["id"])
        assert found is not None
        for recipient in (OPERATORS, order["email"]):
            key = {"order_id": {"S": found.id}, "mail": {"S": f"{found.status}#{recipient}"}}
            self._mailer.deliver(key, self._placed)
        row = {"id": {"S": found.id}, "user_id": {"S": found.user_id}, "untold": {"S": ""}}
        self._publisher.publish(row)

    def look(self, query: Query) -> None:
        self.client.reads.clear()
        self.orders.page(query)


def completed(shop: Shop) -> None:
    shop.place()
    shop.run("ProcessPayment", "SendOrderToRestaurant", "CompleteOrder")
    shop.tell()


def refused(shop: Shop) -> None:
    shop.place()
    shop.run("ProcessPayment")
    shop.run("SendOrderToRestaurant", decline=1)
    shop.run("OweRefund", "RefundPayment", "CancelFailedOrder")
    shop.tell()


def cancelled_in_the_hold(shop: Shop) -> None:
    order_id = shop.place()
    shop.run("ProcessPayment")
    shop.cancel(order_id)
    shop.run("SendOrderToRestaurant", "OweRefund", "RefundPayment", "CancelFailedOrder")
    shop.tell()


class Ceiling(NamedTuple):
    """What is done, the key that is hottest, its units of writes and reads each time it is done, and how often a second
    DynamoDB lets it be done."""

    pattern: str
    key: str
    units: float
    ceiling: int


def written(pattern: str, way: Callable[[Shop], None], orders: int = ORDERS, **same: str) -> Ceiling:
    """The ceiling of a way of orders, by the hottest key that all of them, or all of the same customer, share."""
    shop = Shop(**same)
    for _ in range(orders):
        way(shop)
    hottest = max(
        (units / limit, where, units)
        for counter, limit in ((shop.client.writes, WRITES), (shop.client.reads, READS))
        for (where, _), units in counter.items()
    )
    share, where, units = hottest
    return Ceiling(pattern, where, round(units / orders, 4), int(orders / share))


def read(pattern: str, shop: Shop, look: Callable[[Shop], object]) -> Ceiling:
    shop.client.reads.clear()
    look(shop)
    (where, _), units = max(shop.client.reads.items(), key=lambda it: it[1])
    return Ceiling(pattern, where, units, int(READS / units))


def totals() -> dict[str, float]:
    """Write units of each table and index for one order that is completed."""
    shop = Shop()
    for _ in range(100):
        completed(shop)
    found: dict[str, float] = defaultdict(float)
    for (where, _), units in shop.client.writes.items():
        found[where] += units
    return {where: units / 100 for where, units in sorted(found.items())}


def simulate() -> Json:
    """Everything that the page says."""
    shop = Shop(customer="ann", restaurant="here")
    last = [shop.place() for _ in range(200)][-1]
    patterns = [
        written("orders that are completed", completed),
        written("orders that the restaurant refuses", refused),
        written("orders that are cancelled in the hold", cancelled_in_the_hold),
        written("orders of one customer", completed, 100, customer="ann"),
        written("orders of one restaurant", completed, 100, restaurant="here"),
        read("looks at one order", shop, lambda it: it.orders.find(last)),
        read("lists of one customer, 50 orders each", shop, lambda it: it.look(Query(user_id="ann"))),
    ]
    spread = Shop(restaurant="here")
    for _ in range(200):
        spread.place()
    patterns += [
        read("lists of one restaurant, 50 orders each", spread, lambda it: it.look(Query(restaurant_id="here"))),
        read("lists of a status, 50 orders each", spread, lambda it: it.look(Query(status=Status.PENDING))),
        read("lists of all orders, 50 orders each", spread, lambda it: it.look(Query())),
    ]
    return {"patterns": [one._asdict() for one in patterns], "units": totals(), "wanted": WANTED, "quota": QUOTA}


if __name__ == "__main__":
    RESULT.write_text(json.dumps(simulate(), indent=2) + "\n", encoding="utf-8")
    print(f"Written: {RESULT}")
