"""Money as Stripe counts it: https://docs.stripe.com/currencies, read on 30 November 2026.

Stripe's decimals are not always those of ISO 4217: it counts MGA in whole ariary, and ISK and UGX, which have no
decimals, in hundredths.
"""

from expediter.domain.currencies import CURRENCIES
from expediter.domain.money import money

_NO_DECIMALS = frozenset("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split())
#: The last digit of these has to be 0.
_THREE_DECIMALS = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})

#: The least that can be charged, in our minor units. In other currencies Stripe itself says what is too little.
MINIMUM = {
    "AED": 200,
    "AUD": 50,
    "BRL": 50,
    "CAD": 50,
    "CHF": 50,
    "CZK": 1500,
    "DKK": 250,
    "EUR": 50,
    "GBP": 30,
    "HKD": 400,
    "HUF": 17500,
    "INR": 50,
    "JPY": 50,
    "MXN": 1000,
    "MYR": 200,
    "NOK": 300,
    "NZD": 50,
    "PLN": 200,
    "RON": 200,
    "SEK": 300,
    "SGD": 50,
    "THB": 1000,
    "USD": 50,
}

#: Minor units in one unit, by the number of decimals.
_SCALE = (1, 10, 100, 1000)


class AmountRefused(Exception):
    """This amount of money cannot be charged; the message says why, in words for the customer."""


def chargeable(amount: int, currency: str) -> int:
    """The amount (minor units by ISO 4217) in Stripe's units. Raises AmountRefused, also below the minimum."""
    counted = in_stripe_units(amount, currency)
    if amount < MINIMUM.get(currency, 0):
        raise AmountRefused(f"The least that can be paid by card is {money(MINIMUM[currency], currency)}.")
    return counted


def in_stripe_units(amount: int, currency: str) -> int:
    """The amount (minor units by ISO 4217) in Stripe's units. Raises AmountRefused when they cannot hold it."""
    ours, theirs = CURRENCIES.get(currency, 2), _decimals(currency)
    counted, rest = divmod(amount * _SCALE[theirs], _SCALE[ours])
    if rest or (theirs == 3 and counted % 10):
        raise AmountRefused(f"{money(amount, currency)} cannot be paid by card: it has more decimals than cards take.")
    return counted


def in_our_units(counted: int, currency: str) -> int:
    """What Stripe counts, in minor units by ISO 4217."""
    return counted * _SCALE[CURRENCIES.get(currency, 2)] // _SCALE[_decimals(currency)]


def _decimals(currency: str) -> int:
    if currency in _NO_DECIMALS:
        return 0
    return 3 if currency in _THREE_DECIMALS else 2
