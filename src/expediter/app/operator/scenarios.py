"""Orders to try the system out with: each is to end in a way that is known before.

Simulated parties answer by a hash of the order's id, so the id is chosen for the wanted answers.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from expediter.app.gateways import Party, Remote, Role, Simulated, declines

#: Ids to look at before a wanted outcome is given up: enough for a share of one in a hundred.
TRIES = 2_000


class Scenario(NamedTuple):
    """``declined`` and ``refused``: what payment provider and restaurant shall say; None: whatever they say."""

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


def pick(scenario: Scenario, parties: Mapping[Role, Party], new_id: Callable[[], str]) -> str | None:
    """An order id with which the parties give the scenario's outcome; None when they cannot be made to."""
    wanted = _wanted(scenario)
    for _ in range(TRIES):
        order_id = new_id()
        if all(_as_wanted(parties[role], role, order_id, wish) for role, wish in wanted.items()):
            return order_id
    return None


def unavailable(scenario: Scenario, parties: Mapping[Role, Party], hold_seconds: int) -> str | None:
    """Why the scenario cannot be had with these parties, and what to do; None when it can."""
    if scenario.cancel and hold_seconds == 0:
        return "There is no hold to cancel in. Start with EXPEDITER_HOLD_SECONDS=30 to try this."
    for role, wish in _wanted(scenario).items():
        party, setting = parties[role], f"EXPEDITER_{role.upper()}"
        if isinstance(party, Remote) and wish:
            return f"{setting} is a real party: whether it says no is not ours to choose."
        if isinstance(party, Simulated) and wish and party.decline == 0:
            return f"The simulated party always says yes. Start with {setting}=simulated:decline=0.2 to try this."
        if isinstance(party, Simulated) and wish is False and party.decline == 1:
            return f"{setting} says no to every order."
    return None


def _wanted(scenario: Scenario) -> dict[Role, bool | None]:
    return {Role.PAYMENTS: scenario.declined, Role.RESTAURANT: scenario.refused}


def _as_wanted(party: Party, role: Role, order_id: str, wish: bool | None) -> bool:
    if wish is None or isinstance(party, Remote):
        return True
    return declines(role, order_id, party.decline) is wish
