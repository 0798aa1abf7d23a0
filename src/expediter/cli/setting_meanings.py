"""What each setting means, for `expediter init` and the page of settings."""

from collections.abc import Mapping

from expediter.domain.currencies import PUBLISHED

#: What each setting means, and what it may be. Its name and default come from the code that reads it.
MEANINGS: Mapping[str, str] = {
    "DATA": "Folder that holds everything. One server at a time may use it.",
    "HOST": "Where to listen. Beyond loopback the server needs a token or an issuer.",
    "PORT": "Port to listen on, 0 to 65535; 0: any free one.",
    "PAYMENTS": "The payment provider: `simulated`, `simulated:decline=0.2` (a share), `http://…`, or `stripe`.",
    "PAYMENTS_TOKEN": "What the payment provider gets as a bearer token. Secret.",
    "STRIPE_KEY": "The secret or restricted key of the Stripe account, `sk_…` or `rk_…`. Secret.",
    "STRIPE_WEBHOOK_SECRET": "What Stripe signs its events with, `whsec_…`; several, with commas between them. Secret.",
    "PAYMENTS_WEBHOOK_SECRET": "What the provider behind a URL signs its events with; several with commas. Secret.",
    "PAYMENT_WAIT_SECONDS": "Seconds that a customer may take to complete a payment: 1 to 2592000.",
    "STRIPE_URL": "Where Stripe is, for tests: https, or on this machine.",
    "RESTAURANT": "The restaurant: `simulated`, `simulated:decline=0.1`, or `http://…`.",
    "RESTAURANT_SECRET": "Signs what the restaurant gets. Secret.",
    "SMTP_URL": "`smtp://host:port` or `smtps://user:password@host:port`, `?from=address`. Unset: mail is kept here.",
    "TOKEN": "What operators send as a bearer token; 16 characters at least where others reach the server. Secret.",
    "OIDC_ISSUER": "OpenID Connect issuer of customers and operators, as its tokens name it: `https://…`.",
    "OIDC_AUDIENCE": "What its tokens for this server have as `aud` or `client_id`; several with commas between them.",
    "OIDC_OPERATORS_CLAIM": "The claim of its tokens that names groups: `operators`, `operators-viewer` …",
    "OIDC_CLIENT_ID": "What the console is called at the issuer; unset: the first audience.",
    "TRUSTED_PROXIES": "Proxies whose `X-Forwarded-For`, `-Proto`, `-Host` are believed: addresses, networks; commas.",
    "LINK_DAYS": "Days that a customer's link opens its order, from when it was made: 1 to 3650.",
    "ENV": "`production`: the server does not start while anything is simulated, or a credential is missing.",
    "WORKFLOW": "Another workflow for new orders: an .asl.json file.",
    "KEEP_DAYS": "Days after an order's end until its workflow's history and its mails are pruned. Unset: never.",
    "HOLD_SECONDS": "Seconds in which a customer may cancel, a whole number from 0.",
    "DEFAULT_PRICE": "Minor units for an item without a price.",
    "CURRENCY": f"Currency of an order that names none, from ISO 4217's list of {PUBLISHED}.",
    "NOTIFY": "Operators' mail addresses, told of every end of an order and of orders in trouble; commas between them.",
}
