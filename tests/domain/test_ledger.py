"""What we hold is what was charged less what was given back."""

from hypothesis import given
from hypothesis import strategies as st

from expediter.domain.ledger import EntryKind, LedgerEntry, balance
from tests.support.values import ID


def entry(kind: EntryKind, amount: int) -> LedgerEntry:
    return LedgerEntry(ID, kind, f"{ID}/{kind}", amount, "USD", at=0)


def test_a_charge_stays_with_us_and_a_refund_leaves() -> None:
    assert entry(EntryKind.CHARGE, 5).signed == 5
    assert entry(EntryKind.REFUND, 5).signed == -5


def test_nothing_moved_is_nothing_held() -> None:
    assert balance([]) == 0


@given(st.lists(st.integers(0, 2**31 - 1)))
def test_what_is_charged_and_given_back_leaves_nothing(amounts: list[int]) -> None:
    charges = [entry(EntryKind.CHARGE, amount) for amount in amounts]
    refunds = [entry(EntryKind.REFUND, amount) for amount in amounts]

    assert balance(charges) == sum(amounts)
    assert balance([*refunds, *charges]) == 0
