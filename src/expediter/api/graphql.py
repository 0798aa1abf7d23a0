"""GraphQL: each root field of schema.graphql is one function of a unit of work, a caller and its arguments.

The functions take and return JSON values with the schema's names. So graphql-core here and AppSync on AWS can call them
directly. Each field of a mutation is a unit of its own: one that fails undoes no other.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from msgspec import UNSET

from expediter.api.keys import key_uuid
from expediter.app import intake, orders
from expediter.app.access import Scope
from expediter.app.drafts import ChangeDraft, Draft, convert
from expediter.app.idempotency import own_id
from expediter.app.instants import instant
from expediter.app.ports import Caller, Query, Work
from expediter.asl.protocol import Json
from expediter.domain.errors import NO_LIST, Fault, OrderInvalid, OrderNotFound
from expediter.domain.order import Item, Order, Status

#: The user of an order when the caller is unknown and the input names no user.
ANONYMOUS = "anonymous"
PAGE = 50
LARGEST_PAGE = 100

Arguments: TypeAlias = dict[str, Json]
#: (work, caller, arguments, a new UUID) -> the field's value. Raises OrderError.
Resolver: TypeAlias = Callable[[Work, Caller, Arguments, str], Json]


def post_order(work: Work, caller: Caller, args: Arguments, new_id: str) -> Json:
    given = {name: value for name, value in _snake(args["input"]).items() if value is not None}
    if "items" not in given:
        _require(given, "quantity")
    if "metadata" in given:
        given["metadata"] = _metadata(given["metadata"])
    sent = args.get("idempotencyKey")
    given_id = sent and key_uuid(sent, "idempotencyKey")
    key = own_id(caller, given_id) if given_id else new_id
    with _paths("input"):
        draft = convert({"user_id": caller.user_id or ANONYMOUS, **given}, Draft)
        return _changed(intake.accept(work, caller, draft, key).order, caller)


def update_order(work: Work, caller: Caller, args: Arguments, _: str) -> Json:
    given = _snake(args["input"])
    with _paths("input"):
        return _changed(orders.change(work, caller, given.pop("id"), convert(given, ChangeDraft)), caller)


def delete_order(work: Work, caller: Caller, args: Arguments, _: str) -> Json:
    return orders.delete(work, caller, args["id"]).id


def cancel_order(work: Work, caller: Caller, args: Arguments, _: str) -> Json:
    return _changed(orders.cancel(work, caller, args["id"]), caller)


def continue_payment(work: Work, caller: Caller, args: Arguments, _: str) -> Json:
    return _changed(orders.come_back(work, caller, args["id"]), caller)


def publish_order(work: Work, caller: Caller, args: Arguments, _: str) -> Json:
    """The order that AppSync sends to subscribers, so without its payment. A server publishes changes itself, so there
    the field only reads the order.
    """
    return {**_changed(orders.find(work, caller, args["id"]), caller), "payment": None}


def find_order(work: Work, caller: Caller, args: Arguments, _: str) -> Json:
    try:
        return order_json(orders.find(work, caller, args["id"]), caller)
    except OrderNotFound:
        return None


def list_orders(work: Work, caller: Caller, args: Arguments, _: str) -> Json:
    limit, status = args.get("limit"), args.get("orderStatus")
    if limit is not None and not 1 <= limit <= LARGEST_PAGE:
        raise OrderInvalid((Fault("limit", f"give a whole number from 1 to {LARGEST_PAGE}"),), NO_LIST)
    query = Query(status=Status(status) if status else None, limit=limit or PAGE, cursor=args.get("after"))
    with _paths(""):
        return [order_json(order, caller) for order in orders.page(work, caller, query).items]


def order_updated(work: Work, caller: Caller, args: Arguments, _: str) -> Json:
    """Checks whether this caller may follow the order, once, when the subscription begins. Its value is null.

    Raises OrderNotFound for a customer's key too: news comes under the order's own id.
    """
    if orders.find(work, caller, args["id"]).id != args["id"].lower():
        raise OrderNotFound("Subscribe with the id that the order has. Ask for the order to see it.")


#: Every root field of schema.graphql. A mutation runs in a unit of work, and is answered after its commit.
RESOLVERS: dict[str, Resolver] = {
    "Query.order": find_order,
    "Query.orders": list_orders,
    "Mutation.postOrder": post_order,
    "Mutation.updateOrder": update_order,
    "Mutation.deleteOrder": delete_order,
    "Mutation.cancelOrder": cancel_order,
    "Mutation.continuePayment": continue_payment,
    "Mutation.publishOrder": publish_order,
    "Subscription.orderUpdated": order_updated,
}


def _changed(order: Order, caller: Caller) -> Arguments:
    """The value of a mutation: the order, for a caller who may read orders, else its id alone."""
    return order_json(order, caller) if Scope.ORDERS_READ in caller.scopes else {"id": order.id}


def order_json(order: Order, caller: Caller | None = None) -> Arguments:
    """The order as the schema's type Order. ``caller``: who sees it; None: nobody to whom a payment is shown."""
    return {
        "id": order.id,
        "userId": order.user_id,
        "restaurantId": order.restaurant_id,
        "name": order.name,
        "quantity": order.quantity,
        "items": [_item_json(item) for item in order.items],
        "total": order.total,
        "currency": order.currency,
        "orderStatus": order.status.value,
        "errorMessage": order.error_message,
        "createdAt": instant(order.created_at),
        "updatedAt": instant(order.updated_at),
        "metadata": _pairs(order),
        "payment": _payment_json(order) if caller and orders.shows_payment(order, caller) else None,
    }


def _payment_json(order: Order) -> Json:
    awaited = order.awaited_payment
    if awaited is UNSET:
        return None
    return {"status": "pending", "clientSecret": awaited.client_secret, "redirectUrl": awaited.redirect_url}


def _pairs(order: Order) -> list[Json]:
    """The metadata as a list: GraphQL has no type for names that are the caller's."""
    pairs = {} if order.metadata is UNSET else order.metadata
    return [{"key": key, "value": value} for key, value in pairs.items()]


def _item_json(item: Item) -> Json:
    return {"name": item.name, "quantity": item.quantity, "unitPrice": item.unit_price}


# ── names: snake_case inside, camelCase in the schema ─────────────────────────────────────────────────────────────

_SNAKE = {"userId": "user_id", "restaurantId": "restaurant_id", "unitPrice": "unit_price"}
_CAMEL = {"cursor": "after", **{snake: camel for camel, snake in _SNAKE.items()}}


def _snake(value: Json) -> Json:
    if isinstance(value, dict):
        return {_SNAKE.get(name, name): _snake(held) for name, held in value.items()}
    return [_snake(held) for held in value] if isinstance(value, list) else value


def _camel(text: str) -> str:
    return re.sub(r"[a-z_]+", lambda word: _CAMEL.get(word[0], word[0]), text)


@contextmanager
def _paths(prefix: str) -> Iterator[None]:
    """Gives the faults that are raised inside the paths of the schema, below the argument ``prefix``."""
    try:
        yield
    except OrderInvalid as error:
        faults = (Fault(".".join(filter(None, (prefix, _camel(f.path)))), _camel(f.message)) for f in error.faults)
        raise OrderInvalid(tuple(faults), error.what) from error


def _metadata(pairs: list[Json]) -> dict[str, Json]:
    """The pairs by their keys. Raises OrderInvalid for a key that is given twice."""
    found = {pair["key"]: pair["value"] for pair in pairs}
    if len(found) < len(pairs):
        raise OrderInvalid((Fault("input.metadata", "a key is given twice; give it once"),))
    return found


def _require(given: Arguments, *names: str) -> None:
    missing = [Fault(f"input.{name}", "give it, or give items") for name in names if name not in given]
    if missing:
        raise OrderInvalid(tuple(missing))
