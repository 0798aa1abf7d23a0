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

    ``charge_key`` of a refund or dispute names its charge. ``pending``: it waits for its customer. ``own``: made in the
    bank's own pages. A refund that came back later, and a dispute that was won, move nothing any more.
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
    own: bool = False


class MoreThanIsLeft(Exception):
    """A refund of more than is left of its charge."""


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
                Route("/refunds", self._get_refunds),
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

    # ── what people do in the bank's own pages, and what other banks do ───────────────────────────────────────────

    def give_back(self, order_id: str, amount: int) -> None:
        """Somebody gives a part of the order's charge back in the bank's own pages, if so much is left."""
        charge = self._charge_of(order_id)
        if charge is not None and amount <= self._left(charge):
            self._add(charge, "refund", f"re_own_{len(self._records)}", amount)

    def fail_refund(self, order_id: str) -> None:
        """The last refund of the order comes back: the card is closed."""
        made = [it for it in self.movements if it.kind == "refund" and it.order_id == order_id]
        if made:
            self._write("refund failed", made[-1].key, 1, Act.OK, (msgspec.structs.replace(made[-1], amount=0),))

    def dispute(self, order_id: str, amount: int) -> None:
        """The customer's bank disputes a part of the order's charge, and takes it, if so much is left."""
        charge = self._charge_of(order_id)
        if charge is not None and amount <= self._left(charge):
            self._add(charge, "dispute", f"dp_{len(self._records)}", amount)

    def win_dispute(self, order_id: str) -> None:
        """The first dispute about the order is decided for us."""
        open_ones = [it for it in self.movements if it.kind == "dispute" and it.order_id == order_id]
        for record in open_ones[:1]:
            self._write("dispute won", record.key, 1, Act.OK, (msgspec.structs.replace(record, amount=0),))

    def _add(self, charge: Record, kind: str, reference: str, amount: int) -> None:
        record = Record(
            kind,
            f"{charge.order_id}/{kind}/{reference}",
            charge.order_id,
            amount,
            amount,
            charge.currency,
            reference=reference,
            charge_key=charge.key,
            own=True,
        )
        self._write(f"own {kind}", record.key, 1, Act.OK, (record,))

    def _charge_of(self, order_id: str) -> Record | None:
        return next((it for it in self.movements if it.kind == "charge" and it.order_id == order_id), None)

    def _left(self, charge: Record) -> int:
        """Minor units of the charge that neither went back nor are disputed."""
        return charge.amount - sum(it.amount for it in self._records.values() if it.charge_key == charge.key)

    @property
    def movements(self) -> list[Record]:
        """Each movement of money that really happened, in order."""
        return [record for record in self._records.values() if record.amount]

    def forget(self) -> None:
        """As if nothing had happened yet: another test begins. The record file keeps what it has."""
        self.calls: list[tuple[str, str]] = []
        self._behaviour = Behaviour(self._shares)
        self._records: dict[str, Record] = {}

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

    async def _get_refunds(self, request: Request) -> Response:
        """The refunds and disputes of one charge."""
        if not self._knows(request):
            return error(401, "The token is missing or wrong.")
        mine = [it for it in self._records.values() if it.charge_key == request.query_params.get("charge_key")]
        refunds = [
            {
                "refund_id": it.reference,
                "amount": it.asked,
                "currency": it.currency,
                "status": "ok" if it.amount else "failed",
                "key": None if it.own else it.key,
            }
            for it in mine
            if it.kind == "refund" and it.asked
        ]
        disputes = [
            {
                "dispute_id": it.reference,
                "amount": it.asked,
                "currency": it.currency,
                "status": "open" if it.amount else "won",
                "reason": "unrecognized",
            }
            for it in mine
            if it.kind == "dispute"
        ]
        return JSONResponse({"refunds": refunds, "disputes": disputes})

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
        try:
            records = () if act in self._undone else do(key, body, act)
        except MoreThanIsLeft:
            return error(409, "That is more than is left of the charge.")
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
        """Gives back so much of the charge; a charge that never was is refused from now on. Raises MoreThanIsLeft."""
        if key in self._records:
            return ()
        charge = self._records.get(body.charge_key)
        amount = body.amount if charge and charge.amount else 0
        if charge and amount > self._left(charge):
            raise MoreThanIsLeft
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
