"""Orders to try the system with. The end of each is known before.

Simulated gateways answer by a hash of the order's id, so the id is chosen for the wanted answers.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from expediter.app.gateways import Gateway, GatewayName, Remote, Simulated, declines

#: Ids that are tried for a wanted outcome: enough for a share of one in a hundred.
TRIES = 2_000


class Scenario(NamedTuple):
    """``declined`` and ``refused``: what the payment provider and the restaurant have to answer; None: any answer."""

    title: str
    says: str
    declined: bool | None = False
    refused: bool | None = False
    twice: bool = False
    cancel: bool = False


SCENARIOS: dict[str, Scenario] = {
    "normal": Scenario(
        "Normal", "Charged at once, held, then handed to the restaurant. It ends as SUCCESS and a mail says so."
    ),
    "declined": Scenario(
        "Card declined",
        "The payment provider says no. Nothing is taken, and the order ends as FAILED with the reason.",
        declined=True,
        refused=None,
    ),
    "refused": Scenario(
        "Restaurant refuses",
        "Charged and held, then the restaurant says no. The money goes back, and the order ends as FAILED.",
        refused=True,
    ),
    "duplicate": Scenario(
        "Submitted twice",
        "The same order is sent twice under one key. It is accepted once, charged once, and ends as SUCCESS.",
        twice=True,
    ),
    "cancelled": Scenario(
        "Cancelled in the hold",
        "Charged, then cancelled while it is held. When the hold ends the money goes back; it ends as CANCELLED.",
        refused=None,
        cancel=True,
    ),
}


def pick(scenario: Scenario, gateways: Mapping[GatewayName, Gateway], new_id: Callable[[], str]) -> str | None:
    """An order id for which the gateways give the scenario's outcome. None: there is no such id."""
    wanted = _wanted(scenario)
    for _ in range(TRIES):
        order_id = new_id()
        if all(_as_wanted(gateways[name], name, order_id, wish) for name, wish in wanted.items()):
            return order_id
    return None


def unavailable(scenario: Scenario, gateways: Mapping[GatewayName, Gateway], hold_seconds: int) -> str | None:
    """Why the scenario is impossible with these gateways, and what to do. None: it is possible."""
    if scenario.cancel and hold_seconds == 0:
        return "There is no hold to cancel in. Start with EXPEDITER_HOLD_SECONDS=30 to try this."
    for name, wish in _wanted(scenario).items():
        gateway, setting = gateways[name], f"EXPEDITER_{name.upper()}"
        if isinstance(gateway, Remote) and wish:
            return f"{setting} is a URL: what the server there answers cannot be chosen."
        if isinstance(gateway, Simulated) and wish and gateway.decline == 0:
            return f"The simulated gateway always says yes. Start with {setting}=simulated:decline=0.2 to try this."
        if isinstance(gateway, Simulated) and wish is False and gateway.decline == 1:
            return f"{setting} says no to every order."
    return None


def _wanted(scenario: Scenario) -> dict[GatewayName, bool | None]:
    return {GatewayName.PAYMENTS: scenario.declined, GatewayName.RESTAURANT: scenario.refused}


def _as_wanted(gateway: Gateway, name: GatewayName, order_id: str, wish: bool | None) -> bool:
    if wish is None or not isinstance(gateway, Simulated):
        return True
    return declines(name, order_id, gateway.decline) is wish
