"""The currencies that an order may name are those of ISO 4217's list, with the date from which it holds."""

from datetime import date

import iso4217
import pytest

from expediter.domain.currencies import CURRENCIES, PUBLISHED

#: Units of account of the list that nobody pays with: Uruguay's Unidad Previsional, the Arab Monetary Fund's dinar.
OF_ACCOUNT = {"UYW", "XAD"}


def listed() -> dict[str, int]:
    """The decimals of every currency of the list that has some, funds left out."""
    found = {}
    for entry in iso4217.raw_xml.findall("CcyTbl/CcyNtry"):
        code, name, decimals = entry.findtext("Ccy"), entry.find("CcyNm"), entry.findtext("CcyMnrUnts", "")
        if code and name is not None and "IsFund" not in name.attrib and decimals.isdigit():
            found[code] = int(decimals)
    return found


def test_the_table_is_the_list_that_the_maintenance_agency_published() -> None:
    assert {code: decimals for code, decimals in listed().items() if code not in OF_ACCOUNT} == CURRENCIES
    assert iso4217.__published__ == PUBLISHED


def test_the_list_is_that_of_2026_in_which_bulgaria_pays_in_euro() -> None:
    assert date(2026, 1, 1) <= PUBLISHED
    assert "BGN" not in CURRENCIES


@pytest.mark.parametrize("code", ["USD", "EUR", "JPY", "CHF", "GBP", "INR", "NGN", "BRL", "XOF", "VED", "XCG"])
def test_currencies_that_people_pay_with_are_known(code: str) -> None:
    assert code in CURRENCIES


@pytest.mark.parametrize("code", ["DEM", "XXX", "XTS", "XAU", "CHE", "UYI", "HRK", "VEF", "BGN", "ANG", "usd", ""])
def test_former_currencies_funds_metals_and_test_codes_are_not(code: str) -> None:
    assert code not in CURRENCIES


@pytest.mark.parametrize(("code", "decimals"), [("JPY", 0), ("USD", 2), ("KWD", 3)])
def test_the_decimals_are_the_currency_s(code: str, decimals: int) -> None:
    assert CURRENCIES[code] == decimals
