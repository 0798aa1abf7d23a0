"""The settings of a function, read once from EXPEDITER_*. The stack sets for each function only what it needs."""

import os
from collections.abc import Mapping

import msgspec

from expediter.app import ports
from expediter.domain.currencies import CURRENCIES, PUBLISHED

#: The recipient of mails to operators. It stands for their SNS topic, whose subscribers have the addresses.
OPERATORS = "operators"


class SettingRefused(Exception):
    """A setting has a value that is not allowed. The message says which values are."""


def _variable(field: str) -> str:
    return f"EXPEDITER_{field.upper()}"


class StackSettings(msgspec.Struct, frozen=True, kw_only=True, rename=_variable):
    """Names of AWS resources, and the rules for orders. Empty: this function does not use it.

    ``payments_token``, ``event_secrets`` and ``restaurant_secret`` are ARNs of secrets, not the secrets. ``mail_from``
    empty: customers get no mail. ``allowed_origin``: another origin whose pages may call the API.
    """

    orders_table: str = ""
    claims_table: str = ""
    ledger_table: str = ""
    mail_table: str = ""
    queue_url: str = ""
    dead_letter_url: str = ""
    events_table: str = ""
    events_url: str = ""
    dead_events_url: str = ""
    event_secrets: str = ""
    state_machine: str = ""
    topic: str = ""
    mail_from: str = ""
    graphql_url: str = ""
    stage: str = ""
    allowed_origin: str = ""
    payments: str = "simulated"
    payments_token: str = ""
    stripe_url: str = "https://api.stripe.com"
    restaurant: str = "simulated"
    restaurant_secret: str = ""
    hold_seconds: int = 30
    payment_wait_seconds: int = 900
    default_price: int = 1000
    currency: str = "USD"

    def orders(self) -> ports.OrderSettings:
        return ports.OrderSettings(
            hold_seconds=self.hold_seconds,
            default_price=self.default_price,
            currency=self.currency,
            notify=(OPERATORS,) if self.mail_table else (),
            payment_wait_seconds=self.payment_wait_seconds,
        )


def from_environment(environment: Mapping[str, str] | None = None) -> StackSettings:
    """Raises SettingRefused."""
    given = dict(os.environ if environment is None else environment)
    try:
        settings = msgspec.convert(given, StackSettings, strict=False)
    except msgspec.ValidationError as error:
        raise SettingRefused(f"A setting is not allowed: {error}. Correct it in the stack and deploy again.") from error
    if settings.currency not in CURRENCIES:
        raise SettingRefused(
            f"EXPEDITER_CURRENCY={settings.currency} is not on ISO 4217's list of {PUBLISHED}. Correct it in the stack "
            "and deploy again."
        )
    return settings
