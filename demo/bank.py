"""A payment provider on loopback that keeps its promises however badly it answers.

One effect per key; nothing is charged under a key whose refund was answered. ``python -m demo.bank --help``
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from demo.behaviour import ANY, GOOD, Act, Behaviour, Shares, options, shares
from demo.journal import Journal
from demo.serving import Patience, busy, delivered, error, key_of, serve

Body = TypeVar("Body", "ChargeBody", "RefundBody")


class ChargeBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    order_id: str
    amount: int
    currency: str
    payment_method: str | None = None


class RefundBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    order_id: str
    charge_key: str
    charge_id: str | None
    amount: int
    currency: str


class Record(msgspec.Struct, frozen=True):
    """The first answer under a key, and the money that moved: ``amount`` 0 means none. ``asked`` is what was wanted.

    ``charge_key`` of a refund names the charge that it gave back. ``pending``: it waits for its customer.
    """

    kind: str
    key: str
    order_id: str
    asked: int
    amount: int
    currency: str
    reference: str | None = None
    refused: str | None = None
    charge_key: str | None = None
    pending: bool = False


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """One call: what was asked, the try's number, what happened to it, and what it settled first."""

    call: str
    key: str
    tries: int
    act: Act
    records: tuple[Record, ...] = ()


class Bank:
    """``calls`` lists every call of this process as (call, key); call is charge, refund or lookup.

    ``token``: what every request has to bear; None: nothing. ``retry_after``: the seconds for which it is busy.
    """

    def __init__(
        self, record: Path | None = None, shares: Shares = GOOD, token: str | None = None, retry_after: int = 0
    ) -> None:
        self.patience = Patience()
        self.token = token
        #: The answers to a call that was not carried out.
        self._undone: Mapping[Act, Response] = {Act.FAIL: error(500, "scripted"), Act.BUSY: busy(retry_after)}
        self._shares = shares
        self._journal = Journal(record, Line)
        self.forget()
        for line in self._journal.read():
            self._behaviour.tried(line.key, line.tries)
            self._keep(line.records)
        self.app = Starlette(
            routes=[
                Route("/charges", self._post_charge, methods=["POST"]),
                Route("/charges/{key:path}", self._get_charge),
                Route("/refunds", self._post_refund, methods=["POST"]),
                Route("/records", self._get_records),
            ]
        )

    def script(self, call: str, *acts: Act, order_id: str = ANY) -> None:
        """What happens to the next charge, refund or lookup of the order."""
        self._behaviour.script(call, order_id, acts)

    def complete(self, order_id: str, *, paid: bool = True) -> None:
        """The customer has done, or not done, what the pending charges of the order wait for."""
        for record in [it for it in self._records.values() if it.pending and it.order_id == order_id]:
            ended = (
                msgspec.structs.replace(record, pending=False, amount=record.asked)
                if paid
                else msgspec.structs.replace(record, pending=False, refused="The customer did not confirm.")
            )
            self._write("complete", record.key, 1, Act.OK, (ended,))

    @property
    def movements(self) -> list[Record]:
        """Each movement of money that really happened, in order."""
        return [record for record in self._records.values() if record.amount]

    def forget(self) -> None:
        """As if nothing had happened yet: another test begins. The record file keeps what it has."""
        self.calls: list[tuple[str, str]] = []
        self._behaviour = Behaviour(self._shares)
        self._records: dict[str, Record] = {}
        self._given_back: set[str] = set()

    def close(self) -> None:
        self._journal.close()

    async def _post_charge(self, request: Request) -> Response:
        return await self._work("charge", request, ChargeBody, self._charge)

    async def _post_refund(self, request: Request) -> Response:
        return await self._work("refund", request, RefundBody, self._refund)

    async def _get_charge(self, request: Request) -> Response:
        if not self._knows(request):
            return error(401, "The token is missing or wrong.")
        key = request.path_params["key"]
        tries, act = self._behaviour.next("lookup", key)
        self._write("lookup", key, tries, act, ())
        if act in self._undone:
            return self._undone[act]
        seen = self._records.get(key)
        if seen and seen.pending and (paid := self._behaviour.completed(key, tries)) is not None:
            self.complete(seen.order_id, paid=paid)
            seen = self._records[key]
        answer = _answer(seen, past=True) if seen else error(404, "There is no charge under this key.")
        return await delivered(act, answer, self.patience)

    async def _get_records(self, request: Request) -> Response:
        if not self._knows(request):
            return error(401, "The token is missing or wrong.")
        fields = ("kind", "key", "order_id", "amount", "currency")
        return JSONResponse({"items": [{name: getattr(it, name) for name in fields} for it in self.movements]})

    def _knows(self, request: Request) -> bool:
        return self.token is None or request.headers.get("authorization") == f"Bearer {self.token}"

    async def _work(
        self, call: str, request: Request, shape: type[Body], do: Callable[[str, Body, Act], tuple[Record, ...]]
    ) -> Response:
        key = key_of(request)
        if not self._knows(request):
            return error(401, "The token is missing or wrong.")
        if not key:
            return error(400, "Send an Idempotency-Key.")
        try:
            body = msgspec.json.decode(await request.body(), type=shape)
        except msgspec.DecodeError as wrong:
            return error(400, str(wrong))
        first = self._records.get(key)
        if first and (first.kind, first.order_id, first.asked, first.currency) != (
            call,
            body.order_id,
            body.amount,
            body.currency,
        ):
            return error(422, "This key stands for something else.")
        tries, act = self._behaviour.next(call, key)
        records = () if act in self._undone else do(key, body, act)
        self._write(call, key, tries, act, records)
        if act in self._undone:
            return self._undone[act]
        return await delivered(act, _answer(self._records[key]), self.patience)

    def _write(self, call: str, key: str, tries: int, act: Act, records: tuple[Record, ...]) -> None:
        self.calls.append((call, key))
        self._journal.write(Line(call, key, tries, act, records))
        self._keep(records)

    def _keep(self, records: tuple[Record, ...]) -> None:
        self._records.update({record.key: record for record in records})
        self._given_back.update(record.charge_key for record in records if record.charge_key)

    def _charge(self, key: str, body: ChargeBody, act: Act) -> tuple[Record, ...]:
        """The first answer stands, whatever comes under the key later."""
        if key in self._records:
            return ()
        no = Record("charge", key, body.order_id, body.amount, 0, body.currency, refused="The card was declined.")
        ok = msgspec.structs.replace(no, amount=body.amount, reference=f"ch_{key}", refused=None)
        if act is Act.PEND:
            return (msgspec.structs.replace(ok, amount=0, pending=True),)
        return (no if act is Act.REFUSE else ok,)

    def _refund(self, key: str, body: RefundBody, _: Act) -> tuple[Record, ...]:
        """Gives back what the charge took, once; a charge that never was is refused from now on."""
        if key in self._records:
            return ()
        charge = self._records.get(body.charge_key)
        amount = charge.amount if charge and body.charge_key not in self._given_back else 0
        refund = Record(
            "refund",
            key,
            body.order_id,
            body.amount,
            amount,
            body.currency,
            reference=f"re_{key}",
            charge_key=body.charge_key,
        )
        fence = Record("charge", body.charge_key, body.order_id, body.amount, 0, body.currency, refused="Refunded.")
        return (refund,) if charge and not charge.pending else (fence, refund)


def _answer(record: Record, past: bool = False) -> Response:
    """The first answer; asked for later, a decline is a 200 that says so."""
    if record.pending:
        shown = {"charge_id": record.reference, "redirect_url": f"https://bank.example/{record.key}"}
        return JSONResponse({"status": "pending", **shown}, 202)
    if record.refused is not None:
        return error(200 if past else 402, record.refused)
    return JSONResponse({"status": "ok", f"{record.kind}_id": record.reference})


if __name__ == "__main__":
    arguments = options("A payment provider on loopback").parse_args()
    serve(Bank(arguments.record, shares(arguments)), arguments.port)
