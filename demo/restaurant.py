"""A restaurant on loopback that takes orders once per key, and gives them back. ``python -m demo.restaurant --help``"""

import base64
import hmac
from collections.abc import Callable
from pathlib import Path

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from demo.behaviour import ANY, GOOD, Act, Behaviour, Shares, options, shares
from demo.journal import Journal
from demo.serving import Patience, delivered, error, key_of, serve


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    quantity: int
    unit_price: int


class Slip(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An order as the design promises it: nothing more, so not the customer's address.

    ``task_token``: its workflow waits for ``POST /tasks/{task_token}/success`` or ``/failure``.
    """

    id: str
    user_id: str
    restaurant_id: str
    name: str | None
    quantity: int
    items: list[Item]
    total: int
    currency: str
    created_at: str
    task_token: str | None = None


class Record(msgspec.Struct, frozen=True):
    """The first answer under a key: what was ``handover`` or ``withdrawal``, and why it was refused."""

    kind: str
    key: str
    order_id: str
    refused: str | None = None


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """One call: what was asked, the try's number, what happened to it, and what it settled first."""

    call: str
    key: str
    tries: int
    act: Act
    record: Record | None = None


class Restaurant:
    """``secret`` makes it ask for signed calls. ``calls`` lists every call of this process as (call, key).

    ``tokens`` has the task token of each order that came with one.
    """

    def __init__(self, record: Path | None = None, shares: Shares = GOOD, secret: str | None = None) -> None:
        self.patience = Patience()
        self._secret = secret
        self._shares = shares
        self._journal = Journal(record, Line)
        self.forget()
        for line in self._journal.read():
            self._behaviour.tried(line.key, line.tries)
            self._keep(line.record)
        self.app = Starlette(
            routes=[
                Route("/orders", self._post_order, methods=["POST"]),
                Route("/orders/{id:path}", self._delete_order, methods=["DELETE"]),
                Route("/records", self._get_records),
            ]
        )

    def script(self, call: str, *acts: Act, order_id: str = ANY) -> None:
        """What happens to the next handover or withdrawal of the order."""
        self._behaviour.script(call, order_id, acts)

    @property
    def cooking(self) -> set[str]:
        """The ids of the orders that were taken and not withdrawn."""
        return self._taken - self._withdrawn

    def forget(self) -> None:
        """As if nothing had happened yet: another test begins. The record file keeps what it has."""
        self.calls: list[tuple[str, str]] = []
        self._behaviour = Behaviour(self._shares)
        self._records: dict[str, Record] = {}
        self._withdrawn: set[str] = set()
        self._taken: set[str] = set()
        self.tokens: dict[str, str] = {}

    def close(self) -> None:
        self._journal.close()

    async def _post_order(self, request: Request) -> Response:
        try:
            slip = msgspec.json.decode(await request.body(), type=Slip)
        except msgspec.DecodeError as wrong:
            return error(400, str(wrong))
        if slip.task_token is not None:
            self.tokens[slip.id] = slip.task_token
        return await self._work("handover", request, slip.id, self._hand_over)

    async def _delete_order(self, request: Request) -> Response:
        return await self._work("withdrawal", request, request.path_params["id"], self._withdraw)

    async def _get_records(self, _: Request) -> Response:
        done = [record for record in self._records.values() if record.refused is None]
        return JSONResponse({"items": [{"kind": it.kind, "key": it.key, "order_id": it.order_id} for it in done]})

    async def _work(
        self, call: str, request: Request, order_id: str, do: Callable[[str, str, Act], Record]
    ) -> Response:
        key = key_of(request)
        if not self._signed(request, await request.body()):
            return error(401, "The signature is missing or wrong.")
        if not key:
            return error(400, "Send an Idempotency-Key.")
        tries, act = self._behaviour.next(call, key)
        record = None if act is Act.FAIL or key in self._records else do(key, order_id, act)
        self.calls.append((call, key))
        self._journal.write(Line(call, key, tries, act, record))
        self._keep(record)
        if act is Act.FAIL:
            return error(500, "scripted")
        return await delivered(act, _answer(self._records[key]), self.patience)

    def _hand_over(self, key: str, order_id: str, act: Act) -> Record:
        refused = "The restaurant is closed." if act is Act.REFUSE else None
        if order_id in self._withdrawn:
            refused = "The order was withdrawn."
        return Record("handover", key, order_id, refused)

    def _withdraw(self, key: str, order_id: str, _: Act) -> Record:
        """An order that never came is not taken any more when it comes."""
        return Record("withdrawal", key, order_id, None if order_id in self._taken else "There is no such order.")

    def _keep(self, record: Record | None) -> None:
        if record is None:
            return
        self._records[record.key] = record
        if record.kind == "withdrawal":
            self._withdrawn.add(record.order_id)
        elif record.refused is None:
            self._taken.add(record.order_id)

    def _signed(self, request: Request, body: bytes) -> bool:
        if self._secret is None:
            return True
        # A service of yours also refuses a time that is five minutes off; the clocks of the tests jump.
        said = [request.headers.get(f"webhook-{name}", "") for name in ("id", "timestamp")]
        mac = hmac.digest(self._secret.encode(), ".".join([*said, ""]).encode() + body, "sha256")
        wanted = f"v1,{base64.b64encode(mac).decode()}"
        return hmac.compare_digest(wanted.encode(), request.headers.get("webhook-signature", "").encode())


def _answer(record: Record) -> Response:
    if record.refused is None:
        return JSONResponse({"status": "ok"})
    return error(409 if record.kind == "handover" else 404, record.refused)


if __name__ == "__main__":
    parser = options("A restaurant on loopback")
    parser.add_argument("--secret", help="asks for calls signed with it")
    arguments = parser.parse_args()
    serve(Restaurant(arguments.record, shares(arguments), arguments.secret), arguments.port)
