"""How the demo's providers behave, well or badly: the same way for the same seed, key and try."""

import argparse
import hashlib
from collections import defaultdict, deque
from enum import StrEnum
from pathlib import Path

import msgspec

ANY = "*"


class Act(StrEnum):
    """What a provider does with one call. Doing something twice under one key is doing it once, whatever the act."""

    OK = "ok"
    REFUSE = "refuse"
    PEND = "pend"
    """A charge waits for its customer: see Bank.complete."""
    FAIL = "fail"
    """Answers 500 and does nothing."""
    BUSY = "busy"
    """Answers 429, does nothing, and says when to come back."""
    LOSE = "lose"
    """Does it, then answers 500."""
    DROP = "drop"
    """Does it, then closes the connection in the middle of the answer."""
    HANG = "hang"
    """Does it, then answers later than anyone waits."""
    GARBLE = "garble"
    """Does it, then answers with something that makes no sense."""
    SLOW = "slow"
    """Does it, and answers a little later."""


#: The ways in which the answer to a call that was carried out gets lost.
LOSSES = (Act.LOSE, Act.DROP, Act.HANG, Act.GARBLE)


class Shares(msgspec.Struct, frozen=True):
    """Shares (0 to 1) of keys that are refused, and of tries that fail, lose their answer or are slow.

    ``pend``: of charges that wait for their customer, who does it at one of the next questions about them.
    """

    decline: float = 0.0
    fail: float = 0.0
    lose: float = 0.0
    slow: float = 0.0
    pend: float = 0.0
    seed: int = 0


#: A provider that never fails.
GOOD = Shares()


class Behaviour:
    """Picks the act for each call: what a script says, else by chance that is the same every time."""

    def __init__(self, shares: Shares) -> None:
        self._shares = shares
        self._tries: dict[str, int] = defaultdict(int)
        self._scripts: dict[tuple[str, str], deque[Act]] = defaultdict(deque)

    def script(self, call: str, order_id: str, acts: tuple[Act, ...]) -> None:
        """The next ``acts`` for this kind of call about the order (ANY: about any order without a script)."""
        self._scripts[call, order_id].extend(acts)

    def tried(self, key: str, tries: int) -> None:
        """Goes on counting where a process before this one stopped."""
        self._tries[key] = max(self._tries[key], tries)

    def next(self, call: str, key: str) -> tuple[int, Act]:
        """The number of this try of the key, from 1, and what happens to it. The key begins with the order's id."""
        self._tries[key] += 1
        tries = self._tries[key]
        for order_id in (key.split("/", maxsplit=1)[0], ANY):
            if self._scripts[call, order_id]:
                return tries, self._scripts[call, order_id].popleft()
        act = self._by_chance(key, tries)
        if call == "charge" and act in (Act.OK, Act.SLOW) and self._roll(key, "pend") < self._shares.pend:
            return tries, Act.PEND
        return tries, act

    def completed(self, key: str, tries: int) -> bool | None:
        """Whether the customer has paid a pending charge by this question about it; None: he has done nothing yet."""
        if not self._shares.pend or self._roll(key, tries, "completed") < 0.5:
            return None
        return self._roll(key, "paid") < 0.8

    def _by_chance(self, key: str, tries: int) -> Act:
        shares, roll = self._shares, self._roll(key, tries)
        if roll < shares.fail:
            return Act.FAIL
        if roll < shares.fail + shares.lose:
            return LOSSES[int(self._roll(key, tries, "loss") * len(LOSSES))]
        if self._roll(key, "refuse") < shares.decline:
            return Act.REFUSE
        return Act.SLOW if roll > 1 - shares.slow else Act.OK

    def _roll(self, *parts: str | int) -> float:
        """From 0 to below 1."""
        digest = hashlib.sha256(":".join(map(str, (self._shares.seed, *parts))).encode()).digest()
        return int.from_bytes(digest[:6]) / 2**48


def options(description: str) -> argparse.ArgumentParser:
    """The options that every provider run as a process has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--port", type=int, default=0, help="0: any free one; the first line of output says which")
    parser.add_argument("--record", type=Path, help="file of JSON lines, kept over restarts")
    parser.add_argument("--decline", type=float, default=0.0, help="share of keys refused")
    parser.add_argument("--fail", type=float, default=0.0, help="share of tries that fail before anything is done")
    parser.add_argument("--lose", type=float, default=0.0, help="share of tries done whose answer is lost")
    parser.add_argument("--slow", type=float, default=0.0, help="share of tries answered late")
    parser.add_argument("--pend", type=float, default=0.0, help="share of charges that wait for their customer")
    parser.add_argument("--seed", type=int, default=0, help="another number, other choices")
    return parser


def shares(given: argparse.Namespace) -> Shares:
    return Shares(given.decline, given.fail, given.lose, given.slow, given.pend, given.seed)
