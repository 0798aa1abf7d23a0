"""The outside of a home: a bank and a restaurant on loopback that do what a test tells them, and keep records."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypedDict

from demo.bank import Bank
from demo.behaviour import Act
from demo.restaurant import Restaurant
from demo.serving import running


class Addresses(TypedDict):
    PAYMENTS: str
    RESTAURANT: str


class Town:
    """``settings`` lead a home to both gateways. Orders have ids of their own, so tests share one town."""

    def __init__(self, bank: Bank, kitchen: Restaurant, settings: Addresses) -> None:
        self.bank = bank
        self.kitchen = kitchen
        self.settings = settings

    def taken(self, order_id: str) -> int:
        """Minor units of this order that the bank holds for us."""
        signs = {"charge": 1, "refund": -1, "dispute": -1}
        return sum(signs[move.kind] * move.amount for move in self.bank.movements if move.order_id == order_id)

    def moves(self, order_id: str) -> list[str]:
        """The movements of money that the bank really made for the order."""
        return [move.kind for move in self.bank.movements if move.order_id == order_id]

    def calls(self, order_id: str) -> list[str]:
        """Everything that was asked of both servers about the order."""
        all_calls = [*self.bank.calls, *self.kitchen.calls]
        return [call for call, key in all_calls if key.split("/")[0] == order_id]


@contextmanager
def standing() -> Iterator[Town]:
    bank, kitchen = Bank(), Restaurant()
    with running(bank) as bank_url, running(kitchen) as kitchen_url:
        yield Town(bank, kitchen, {"PAYMENTS": bank_url, "RESTAURANT": kitchen_url})


__all__ = ["Act", "Town", "standing"]
