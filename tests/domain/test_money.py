"""Money is whole numbers of minor units in an active currency."""

import pytest

from expediter.domain.money import CURRENCIES, LARGEST_TOTAL


def test_the_largest_total_is_what_a_graphql_int_holds() -> None:
    assert LARGEST_TOTAL == 2_147_483_647


@pytest.mark.parametrize("code", ["USD", "EUR", "JPY", "CHF", "GBP", "INR", "NGN", "BRL", "XOF", "VED", "XCG"])
def test_currencies_that_people_pay_with_are_known(code: str) -> None:
    assert code in CURRENCIES


@pytest.mark.parametrize("code", ["DEM", "XXX", "XTS", "XAU", "CHE", "UYI", "HRK", "VEF", "usd", ""])
def test_former_currencies_funds_metals_and_test_codes_are_not(code: str) -> None:
    assert code not in CURRENCIES


def test_every_code_is_three_capital_letters() -> None:
    assert {code for code in CURRENCIES if not (len(code) == 3 and code.isascii() and code.isupper())} == set()
