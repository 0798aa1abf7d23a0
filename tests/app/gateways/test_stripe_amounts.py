"""The order's money in the units that Stripe counts in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expediter.app.gateways.stripe.amounts import MINIMUM, AmountRefused, chargeable, in_stripe_units
from expediter.domain.currencies import CURRENCIES


@pytest.mark.parametrize(
    ("amount", "currency", "counted"),
    [
        (1000, "USD", 1000),
        (500, "JPY", 500),
        (500, "MGA", 5),
        (5, "ISK", 500),
        (5, "UGX", 500),
        (5120, "KWD", 5120),
        (50010, "IQD", 5001),
        (17500, "HUF", 17500),
    ],
)
def test_money_is_counted_as_stripe_counts_it(amount: int, currency: str, counted: int) -> None:
    assert in_stripe_units(amount, currency) == counted


@given(st.integers(0, 2**31 - 1), st.sampled_from(sorted(CURRENCIES)))
def test_no_amount_is_rounded(amount: int, currency: str) -> None:
    try:
        counted = in_stripe_units(amount, currency)
    except AmountRefused:
        return
    scale = {"MGA": (1, 100), "ISK": (100, 1), "UGX": (100, 1)}.get(currency)
    ours = CURRENCIES[currency]
    if scale is None and ours != 3:
        assert counted == amount
    if scale is not None:
        assert counted * scale[1] == amount * scale[0]
    if ours == 3:
        assert counted in (amount, amount / 10)


@pytest.mark.parametrize("currency", sorted(MINIMUM))
def test_less_than_the_minimum_is_refused_and_the_minimum_is_not(currency: str) -> None:
    assert chargeable(MINIMUM[currency], currency) > 0
    with pytest.raises(AmountRefused, match=r"The least that can be paid by card is [\d.]+ " + currency):
        chargeable(MINIMUM[currency] - 1, currency)
