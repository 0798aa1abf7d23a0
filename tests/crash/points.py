"""Where the server can be told to die: the writer's commits by the names of their units, and the calls that go out."""

from itertools import product
from typing import NamedTuple


class Point(NamedTuple):
    """``side``: ``before`` the commit is asked for (the call goes out), or ``after`` it returned (was answered)."""

    name: str
    side: str

    def __str__(self) -> str:
        return f"{self.side} {self.name}"


SIDES = ("before", "after")

#: The units of the writer that an order can meet, from its accept to its mail; ``pin`` and ``resume`` begin a recovery,
#: ``flow`` (figures for the console) ends a drain;
#: ``health`` says when the file was checked and what the clock shows.
UNITS = (
    "postOrder",
    "Mutation.postOrder",
    "cancelOrder",
    "Mutation.cancelOrder",
    "continuePayment",
    "receive event",
    "event",
    "event answered",
    "refundOrder",
    "intake",
    "settle:ProcessPayment",
    "settle:SendOrderToRestaurant",
    "settle:OweRefund",
    "settle:RefundPayment",
    "timer",
    "mail",
    "pin",
    "resume",
    "flow",
    "health",
)

#: Units that come only when a provider gives no answer at the right moment: random kills meet them, and none is aimed.
BY_CHANCE = ("event failed",)

#: The units of what operators do to the workflow; each may follow those before it.
OPERATOR_UNITS = ("publishWorkflowVersion", "setWorkflowRouting", "undoWorkflowRouting", "redriveOrder")

#: What goes out between commits.
CALLS = ("call:charge", "call:restaurant", "call:withdrawal", "call:refund", "smtp")

COMMIT_POINTS = tuple(Point(*each) for each in product(UNITS, SIDES))
CALL_POINTS = tuple(Point(*each) for each in product(CALLS, SIDES))

#: Points that few orders meet: the first one will do.
RARE = frozenset(
    {"pin", "resume", "settle:OweRefund", "call:withdrawal", "cancelOrder", "Mutation.cancelOrder", "flow", "health"}
)
#: What a server does when it is asked to stop.
AT_STOP = frozenset({"flow", "health"})

#: The file in which a server that ended well lists the units it met: a new one belongs in UNITS.
SEEN = "units"
