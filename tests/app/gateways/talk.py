"""A conversation held with scripted answers instead of a server."""

import json
from typing import Any

from expediter.app.gateways import ROUTES, Conversation, HttpRequest, HttpResponse, NoAnswer, Remote
from expediter.app.tasks.calls import REPEAT_WITHIN, Answer, AnyCall, Charge, HandOver, Refund, Withdraw
from expediter.domain.order import Item, Order

SILENCE = NoAnswer("nothing came in 10 seconds")
NOW = 1_754_049_600_123
LONG_AGO = NOW - REPEAT_WITHIN - 1

ORDER = Order(
    id="o1",
    user_id="Burger_20",
    restaurant_id="Restaurant 4",
    items=(Item("Burger", 3, 250), Item("Tea", 1, 100)),
    currency="USD",
    created_at=NOW,
    updated_at=NOW,
    email="customer@example.com",
)


class Talk:
    """Holds the conversation to its end: ``answer`` is what it returned, ``requests`` what it asked."""

    def __init__(self, conversation: Conversation, *script: HttpResponse | NoAnswer) -> None:
        self.requests: list[HttpRequest] = []
        self.answer: Answer | None = None
        self.error: Exception | None = None
        try:
            self._hold(conversation, list(script))
        except StopIteration as end:
            self.answer = end.value
        except Exception as error:  # noqa: BLE001 - whatever comes is what the test looks at
            self.error = error

    @property
    def asked(self) -> list[str]:
        return [f"{request.method} {request.path}" for request in self.requests]

    def body(self, number: int = 0) -> Any:
        return json.loads(self.requests[number].body)

    def _hold(self, conversation: Conversation, script: list[HttpResponse | NoAnswer]) -> None:
        self.requests.append(next(conversation))
        while True:
            said = script.pop(0)
            request = conversation.throw(said) if isinstance(said, NoAnswer) else conversation.send(said)
            self.requests.append(request)


def conversation(call: AnyCall, secret: str | None = None) -> Conversation:
    return ROUTES[type(call)].converse[Remote](call, NOW, lambda refused=None: secret)


def says(status: int, body: object = b"", **headers: str) -> HttpResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpResponse(status, body if isinstance(body, bytes) else json.dumps(body).encode(), named)


def ok(**fields: object) -> HttpResponse:
    return says(200, {"status": "ok", **fields})


def no(message: str | None = "Card expired.", status: int = 402) -> HttpResponse:
    return says(status, {"status": "error", "error_message": message})


def charge(tried_at: int = NOW, repeat: bool = False) -> Charge:
    return Charge("o1/charge", "o1", 850, "USD", tried_at, repeat)


def refund(
    charge_known: bool = True, tried_at: int = NOW, repeat: bool = False, charge_id: str | None = "ch_1"
) -> Refund:
    return Refund("o1/refund", "o1", "o1/charge", charge_id, 850, "USD", charge_known, tried_at, repeat)


def handover(tried_at: int = NOW, repeat: bool = False, order: Order = ORDER) -> HandOver:
    return HandOver("o1/restaurant", order, tried_at, repeat)


def withdraw(tried_at: int = NOW, repeat: bool = False) -> Withdraw:
    return Withdraw("o1/withdrawal", "o1", tried_at, repeat)


def short(value: object) -> str:
    """A name for a test's case."""
    return repr(value)[:70]
