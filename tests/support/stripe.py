"""Stripe on loopback: localstripe, which nobody here wrote, as a process of its own, and in front of it what it lacks.

The front has idempotency keys, search by metadata, the sum of refunds and the types of errors, as Stripe's
documentation has them (https://docs.stripe.com/api). It also lets answers get lost, as demo/bank.py does.
`make test-heavy` installs localstripe; without it these tests say so and are skipped.
"""

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from demo.behaviour import GOOD, Act, Behaviour
from demo.serving import Patience, delivered, running
from tests.support.patience import until

PYTHON = Path(sys.prefix) / "localstripe/bin/python"
INTENTS, REFUNDS = "/v1/payment_intents", "/v1/refunds"
DECLINING = "pm_card_chargeCustomerFail"
#: A card whose bank asks its customer (https://docs.stripe.com/testing).
ASKING = "4000002500003155"
#: localstripe itself would listen on every address of the machine.
_SERVE = "from aiohttp import web; from localstripe.server import app; web.run_app(app, host='127.0.0.1', port={port})"
#: localstripe takes any key of this form.
_KEY = {"Authorization": "Bearer sk_test_localstripe"}
_QUERY = re.compile(r"metadata\['(\w+)'\]:'(.*)'")

Answer = tuple[int, Any]


def wrong(status: int, type: str, code: str | None = None, message: str = "Something is wrong.") -> Answer:
    return status, {"error": {"type": type, "code": code, "message": message}}


class Front:
    """``lags``: the search finds nothing yet. ``keys``: the answers that are kept by their idempotency keys.
    ``disputes``: of payments, the oldest first.
    """

    def __init__(self, behind: str, token: str) -> None:
        self.patience = Patience()
        self.app = Starlette(routes=[Route("/{path:path}", self._handle, methods=["GET", "POST"])])
        self._client = httpx.Client(base_url=behind, headers=_KEY, timeout=10, trust_env=False)
        self._token = token
        self.forget()

    def close(self) -> None:
        self._client.close()

    def forget(self) -> None:
        self._client.delete("/_config/data")
        self._behaviour = Behaviour(GOOD)
        self.keys: dict[str, tuple[object, Answer]] = {}
        self.lags = False
        self.disputes: list[Any] = []

    def give_back(self, intent: str, amount: int) -> None:
        """Somebody makes a refund in Stripe's own pages."""
        self._send(REFUNDS, {"payment_intent": intent, "amount": str(amount)})

    def dispute(self, intent: str, amount: int) -> None:
        """The customer's bank disputes the payment, and Stripe takes the money (https://docs.stripe.com/disputes)."""
        dispute = {"id": f"dp_{len(self.disputes)}", "amount": amount, "currency": "usd", "status": "needs_response"}
        self.disputes.append({**dispute, "reason": "fraudulent", "payment_intent": intent, "metadata": {}})

    def script(self, call: str, *acts: Act) -> None:
        """What happens to the next charge or refund."""
        self._behaviour.script(call, "*", acts)

    def card(self, number: str) -> str:
        """The token of a card with this test number."""
        fields = {"type": "card", "card[number]": number, "card[exp_month]": "12", "card[exp_year]": "2040"}
        made = self._client.post("/v1/payment_methods", data={**fields, "card[cvc]": "123"})
        return str(made.json()["id"])

    def moves(self, order_id: str) -> list[tuple[str, int]]:
        """The movements of money of the order in localstripe's own books."""
        return [
            (kind, one["amount"])
            for kind, path in (("charge", INTENTS), ("refund", REFUNDS))
            for one in self._all(path)
            if one["metadata"].get("order_id") == order_id and one["status"] == "succeeded"
        ]

    def intents(self) -> list[Any]:
        return self._all(INTENTS)

    def complete(self, order_id: str, *, paid: bool = True) -> None:
        """The customer has done, or not done, what the payment of the order waits for."""
        for one in self.intents():
            if one["metadata"].get("order_id") == order_id and one["status"] == "requires_action":
                said = {"client_secret": one["client_secret"], "success": str(paid).lower()}
                self._send(f"{INTENTS}/{one['id']}/_authenticate", said)

    # ── requests ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def _handle(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {self._token}":
            return _said(wrong(401, "invalid_request_error", message="Invalid API Key provided"))
        if request.method == "GET":
            return _said(self._read(request.url.path, dict(request.query_params)))
        fields = dict(parse_qsl((await request.body()).decode()))
        key = request.headers.get("idempotency-key")
        act = self._act(request.url.path, fields, key or "")
        if act is Act.FAIL:
            return Response(status_code=500)
        if act is Act.BUSY:
            return Response(status_code=429, headers={"Retry-After": "0"})
        if key is None:
            return _said(self._write(request.url.path, fields))
        return await self._under(key, request.url.path, fields, act)

    async def _under(self, key: str, path: str, fields: dict[str, str], act: Act) -> Response:
        """The first answer under a key stays; a 500 too. Other parameters are refused."""
        asked = (path, fields)
        if key in self.keys:
            first, kept = self.keys[key]
            return _said(kept if first == asked else wrong(400, "idempotency_error"))
        if act is Act.REFUSE:
            fields = {**fields, "payment_method": DECLINING}
        elif act is Act.PEND:
            fields = {**fields, "payment_method": self.card(ASKING)}
        done = self._write(path, fields)
        self.keys[key] = asked, wrong(500, "api_error") if act is Act.LOSE else done
        return await delivered(act, _said(done), self.patience)

    def _act(self, path: str, fields: dict[str, str], key: str) -> Act:
        call = {REFUNDS: "refund", INTENTS: "charge"}.get(path) if path != INTENTS or "confirm" in fields else None
        return self._behaviour.next(call, key)[1] if call and key not in self.keys else Act.OK

    # ── what localstripe lacks ────────────────────────────────────────────────────────────────────────────────────

    def _read(self, path: str, query: dict[str, str]) -> Answer:
        if path == f"{INTENTS}/search":
            found = _QUERY.fullmatch(query["query"])
            assert found
            matching = [it for it in self._all(INTENTS) if it["metadata"].get(found[1]) == found[2]]
            return 200, {"data": [] if self.lags else matching}
        if path == "/v1/disputes":
            listed = [it for it in self.disputes if query.get("payment_intent") in (None, it["payment_intent"])]
            return 200, {"data": listed[::-1], "has_more": False}
        answer = self._client.get(path, params=query)
        return answer.status_code, answer.json()

    def _write(self, path: str, fields: dict[str, str]) -> Answer:
        if path == REFUNDS and self._left(fields["payment_intent"]) < int(fields["amount"]):
            return wrong(400, "invalid_request_error", "charge_already_refunded")
        status, said = self._send(path, fields)
        if status == 402:
            said["error"]["type"] = "card_error"
        if status == 404:
            return wrong(400, "invalid_request_error", "resource_missing")
        return status, said

    def _send(self, path: str, fields: dict[str, str]) -> Answer:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = self._client.post(path, content=urlencode(fields), headers=headers)
        return answer.status_code, answer.json()

    def _left(self, intent: str) -> int:
        """What of the payment was not refunded yet."""
        refunds = [it["amount"] for it in self._all(REFUNDS) if it["payment_intent"] == intent]
        return int(self._client.get(f"{INTENTS}/{intent}").json()["amount"]) - sum(refunds)

    def _all(self, path: str) -> list[Any]:
        """Everything in one of localstripe's lists, the oldest first."""
        found: list[Any] = []
        more = True
        while more:
            after = {"starting_after": found[-1]["id"]} if found else {}
            page = self._client.get(path, params={"limit": "100", **after}).json()
            found += page["data"]
            more = page["has_more"]
        return found[::-1]


def _said(answer: Answer) -> Response:
    return JSONResponse(answer[1], answer[0])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def stripe(token: str) -> Iterator[tuple[Front, str]]:
    """The front and its URL, with a localstripe of its own behind it."""
    if not PYTHON.exists():
        pytest.skip("localstripe is not installed: make test-heavy")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [str(PYTHON), "-c", _SERVE.format(port=port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        behind = f"http://127.0.0.1:{port}"
        until(lambda: _listens(port), "localstripe")
        front = Front(behind, token)
        with running(front) as url:
            yield front, url
    finally:
        process.kill()
        process.wait()
