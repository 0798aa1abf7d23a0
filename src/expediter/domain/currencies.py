"""The currencies of ISO 4217: list one, as its maintenance agency published it.

https://www.six-group.com/en/products-services/financial-information/data-standards.html
tests/domain/test_currencies.py holds this table equal to that list, which the package iso4217 (requirements/test.in)
carries. When a newer list is out: raise the package, run that test, and write here what it names.
"""

from collections.abc import Mapping
from datetime import date

#: From when on the list holds: the date on which it was published.
PUBLISHED = date(2026, 1, 1)

_TWO_DECIMALS = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC
    CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR
    JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD
    NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN
    SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
"""
_NO_DECIMALS = """
    BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF
"""
_THREE_DECIMALS = "BHD IQD JOD KWD LYD OMR TND"

#: The decimals of each currency that an order may name: without funds, metals, test codes, and units of account that
#: nobody pays with (UYW, XAD). Historic ones such as BGN are not here; orders that were placed in them keep them.
CURRENCIES: Mapping[str, int] = {
    **dict.fromkeys(_TWO_DECIMALS.split(), 2),
    **dict.fromkeys(_NO_DECIMALS.split(), 0),
    **dict.fromkeys(_THREE_DECIMALS.split(), 3),
}
