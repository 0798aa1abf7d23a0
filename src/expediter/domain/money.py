"""Money: integer minor units of one currency, such as cents. No floats, no exchange.

Programs are given the integers, people read ``money``: in mails, pages, the command line and reports.
"""

from expediter.domain.currencies import CURRENCIES

#: The largest total of one order, in minor units: what a signed 32-bit integer (GraphQL's Int) holds.
LARGEST_TOTAL = 2**31 - 1


def money(amount: int, currency: str) -> str:
    """Minor units as people read them, with the currency's own decimals: ``30.00 USD``, ``3000 JPY``, ``3.000 KWD``."""
    return f"{decimal(amount, currency)} {currency}"


def decimal(amount: int, currency: str) -> str:
    """As ``money``, without the currency. A currency that is no longer on the list, such as BGN, had two decimals."""
    decimals = CURRENCIES.get(currency, 2)
    sign, digits = "-" if amount < 0 else "", f"{abs(amount):0{decimals + 1}}"
    return f"{sign}{digits[:-decimals]}.{digits[-decimals:]}" if decimals else f"{sign}{digits}"
