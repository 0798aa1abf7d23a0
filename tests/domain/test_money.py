"""Money is whole numbers of minor units, and is read with the decimals of its currency."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expediter.domain.currencies import CURRENCIES
from expediter.domain.money import LARGEST_TOTAL, decimal, money


def test_the_largest_total_is_what_a_graphql_int_holds() -> None:
    assert LARGEST_TOTAL == 2_147_483_647


@pytest.mark.parametrize(
    ("amount", "currency", "read"),
    [
        (3000, "USD", "30.00 USD"),
        (5, "USD", "0.05 USD"),
        (-5, "USD", "-0.05 USD"),
        (0, "USD", "0.00 USD"),
        (1_234_567, "KWD", "1234.567 KWD"),
        (1_234_567, "JPY", "1234567 JPY"),
        (0, "JPY", "0 JPY"),
        (250, "BGN", "2.50 BGN"),
    ],
)
def test_money_is_read_with_the_decimals_of_its_currency(amount: int, currency: str, read: str) -> None:
    assert money(amount, currency) == read


@given(st.integers(), st.sampled_from(sorted(CURRENCIES)))
def test_what_is_read_is_the_amount(amount: int, currency: str) -> None:
    shown = decimal(amount, currency)
    assert int(shown.replace(".", "")) == amount
    assert len(shown.partition(".")[2]) == CURRENCIES[currency]
