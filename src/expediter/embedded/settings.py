"""The settings, read from EXPEDITER_* once at the start; a wrong value is refused with what is allowed."""

import difflib
import json
import os
from collections.abc import Callable, Collection, Mapping
from functools import partial
from importlib import resources
from itertools import compress
from pathlib import Path
from typing import TypeVar

import msgspec

from expediter.app import ports
from expediter.app.gateways import Gateway, Remote, Simulated, Stripe, parse_gateway, parse_payments, parse_stripe
from expediter.app.tasks.order import TASKS
from expediter.asl import Json, names_left, substitute
from expediter.domain.money import LARGEST_TOTAL
from expediter.embedded import setting_values as values
from expediter.embedded.setting_values import LOOPBACK, Network

T = TypeVar("T")
PREFIX = "EXPEDITER_"
_SUFFIX = ".asl.json"
#: Bytes of a definition (https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html).
LARGEST_DEFINITION = 1024 * 1024
#: Least length of a token, in characters: shorter ones could be guessed.
SHORTEST_TOKEN = 16
#: Settings whose values are never shown, because they hold a secret.
_SECRET = frozenset(
    {
        "SMTP_URL",
        "TOKEN",
        "PAYMENTS_TOKEN",
        "STRIPE_KEY",
        "RESTAURANT_SECRET",
        "STRIPE_WEBHOOK_SECRET",
        "PAYMENTS_WEBHOOK_SECRET",
    }
)


class SettingRefused(Exception):
    """A setting has a value that is not allowed. The message says which values are."""


class Oidc(msgspec.Struct, frozen=True):
    """The OpenID Connect issuer whose tokens are taken, when they are for one of ``audience``.

    ``operators_claim``: names the groups of the token's caller. ``client_id``: what the console is called there.
    """

    issuer: str
    audience: tuple[str, ...]
    operators_claim: str
    client_id: str


#: What may be simulated.
PARTS = ("payments", "restaurant", "mail")


class ServerSettings(msgspec.Struct, frozen=True):
    """How one server is set up. ``keep_days``: how long histories are kept after the end; None: for ever.
    ``trusted_proxies``: whose X-Forwarded headers are believed. ``link_days``: how long links open their orders.
    ``traces``: OpenTelemetry's own settings name a collector for them.

    ``event_secrets``: what signs the events of a payment provider, by its name; several, while one is changed.

    ``token``, ``payments_token`` (a token, or Stripe's key), ``event_secrets`` and ``restaurant_secret`` are secrets:
    never printed.
    """

    data: Path
    host: str
    port: int
    payments: Gateway
    payments_token: str | None
    event_secrets: Mapping[str, tuple[str, ...]]
    restaurant: Gateway
    restaurant_secret: str | None
    smtp_url: str | None
    token: str | None
    workflow: Path | None
    keep_days: int | None
    traces: bool
    trusted_proxies: tuple[Network, ...]
    link_days: int
    oidc: Oidc | None
    orders: ports.OrderSettings

    @property
    def simulated(self) -> tuple[str, ...]:
        """What is simulated here: payments, the restaurant, mails (they are stored and not sent)."""
        is_simulated = (
            isinstance(self.payments, Simulated),
            isinstance(self.restaurant, Simulated),
            self.smtp_url is None,
        )
        return tuple(compress(PARTS, is_simulated))


def from_environment(environment: Mapping[str, str] | None = None) -> ServerSettings:
    """The settings in EXPEDITER_* (by default of this process). Raises SettingRefused."""
    given = os.environ if environment is None else environment
    read = _Reader(given)
    settings = _settings(read, _traces(given))
    is_production = read("ENV", "", values.stage) == "production"
    _refuse_unknown(given, read.defaults)
    _refuse_unsafe(settings)
    if is_production:
        _refuse_unready(settings)
    return settings


def defaults() -> dict[str, str]:
    """Every setting that the server reads, by its whole name, with its default; an empty text where it has none."""
    read = _Reader({})
    _settings(read, traces=False)
    read("ENV", "", values.stage)
    return {f"{PREFIX}{name}": default for name, default in read.defaults.items()}


def shown(name: str, value: str) -> str:
    """A setting's value for people to see. A secret shows only that it is set."""
    has_secret = name.removeprefix(PREFIX) in _SECRET or name.endswith("_HEADERS") or ("://" in value and "@" in value)
    return "(secret)" if value and has_secret else value


def _settings(read: "_Reader", traces: bool) -> ServerSettings:
    stripe = read("STRIPE_URL", Stripe().url, parse_stripe)
    payments = read("PAYMENTS", "simulated", partial(parse_payments, stripe=stripe))
    return ServerSettings(
        data=read("DATA", "./data", Path),
        host=read("HOST", "127.0.0.1", str),
        port=read("PORT", "8080", values.whole(0, 65_535)),
        payments=payments,
        payments_token=_payments_token(read, payments),
        event_secrets=_event_secrets(read),
        restaurant=read("RESTAURANT", "simulated", parse_gateway),
        restaurant_secret=read("RESTAURANT_SECRET", "", str) or None,
        smtp_url=read("SMTP_URL", "", values.smtp_url) or None,
        token=read("TOKEN", "", str) or None,
        workflow=read("WORKFLOW", "", lambda text: Path(text) if text else None),
        traces=traces,
        keep_days=read("KEEP_DAYS", "", values.days),
        trusted_proxies=read("TRUSTED_PROXIES", "", values.networks),
        link_days=read("LINK_DAYS", "30", values.whole(1, 3_650)),
        oidc=_oidc(read),
        orders=_orders(read),
    )


def _refuse_unknown(given: Mapping[str, str], known: Collection[str]) -> None:
    """Raises SettingRefused for an unknown name. A misspelt one would leave its setting at the default, unnoticed."""
    for name in sorted(given):
        if name.startswith(PREFIX) and name.removeprefix(PREFIX) not in known:
            near = difflib.get_close_matches(name.removeprefix(PREFIX).upper(), known, 1)
            meant = f"Did you mean {PREFIX}{near[0]}?" if near else "docs/reference/settings.md lists all of them."
            raise SettingRefused(f"{name} is not a setting of Expediter. {meant}")


def _refuse_unready(settings: ServerSettings) -> None:
    """Checks what a real shop needs. Raises SettingRefused."""
    missing = {
        "PAYMENTS=http://… or stripe": "payments" in settings.simulated,
        "PAYMENTS_TOKEN": isinstance(settings.payments, Remote) and settings.payments_token is None,
        "STRIPE_WEBHOOK_SECRET": isinstance(settings.payments, Stripe) and not settings.event_secrets["stripe"],
        "RESTAURANT=http://…": "restaurant" in settings.simulated,
        "RESTAURANT_SECRET": isinstance(settings.restaurant, Remote) and settings.restaurant_secret is None,
        "SMTP_URL": "mail" in settings.simulated,
        "TOKEN or EXPEDITER_OIDC_ISSUER": settings.token is None and settings.oidc is None,
    }
    if names := [f"{PREFIX}{name}" for name, is_missing in missing.items() if is_missing]:
        raise SettingRefused(
            f"EXPEDITER_ENV=production: nothing may be simulated, and no credential missing. Set {', '.join(names)}."
        )


def _refuse_unsafe(settings: ServerSettings) -> None:
    """Raises SettingRefused when other machines can reach the server and it has neither a long token nor an issuer."""
    if settings.host not in LOOPBACK and settings.token is None and settings.oidc is None:
        raise SettingRefused(
            f"EXPEDITER_HOST={settings.host} can be reached from other machines. Set EXPEDITER_TOKEN to a long random "
            "text that operators send as a bearer token, or EXPEDITER_OIDC_ISSUER, or leave EXPEDITER_HOST at "
            "127.0.0.1."
        )
    reachable = settings.host not in LOOPBACK or settings.trusted_proxies
    if reachable and settings.token is not None and len(settings.token) < SHORTEST_TOKEN:
        raise SettingRefused(
            f"EXPEDITER_TOKEN is shorter than {SHORTEST_TOKEN} characters, and the server can be reached from other "
            'machines. Set a long random text, such as: python3 -c "import secrets; print(secrets.token_urlsafe(32))"'
        )


def workflow(path: Path | None) -> Json:
    """The workflow's definition with the names of our tasks in it: from a file, or the one that is part of Expediter.

    Raises SettingRefused when the file cannot be read as JSON, or a placeholder names no task.
    """
    try:
        source = path or resources.files("expediter.contracts") / "order.asl.json"
        with source.open("rb") as file:
            text = file.read(LARGEST_DEFINITION + 1)
        if len(text) > LARGEST_DEFINITION:
            raise ValueError("it is larger than 1 MiB, the most that AWS takes")
        definition = substitute(json.loads(text), {name: name for name in TASKS})
    except (OSError, ValueError, RecursionError) as error:
        raise SettingRefused(f"EXPEDITER_WORKFLOW={path} cannot be read as JSON: {error}") from error
    if left := names_left(definition):
        names = ", ".join(f"${{{name}}}" for name in left)
        raise SettingRefused(f"EXPEDITER_WORKFLOW={path}: no task is named {names}. There are: {', '.join(TASKS)}.")
    return definition


def library(path: Path | None) -> dict[str, Json]:
    """The definitions that a workflow may start: itself and every ``NAME.asl.json`` beside its file, by NAME.

    Raises SettingRefused when one cannot be read as JSON.
    """
    if path is None:
        return {"order": workflow(None)}
    files = {path, *path.parent.glob(f"*{_SUFFIX}")}
    return {file.name.removesuffix(_SUFFIX): workflow(file) for file in sorted(files)}


class _Reader:
    """Reads settings by name, and remembers those that there are, with their defaults."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.defaults: dict[str, str] = {}

    def __call__(self, name: str, default: str, convert: Callable[[str], T]) -> T:
        self.defaults[name] = default
        value = self._environment.get(f"{PREFIX}{name}", default).strip()
        try:
            return convert(value)
        except ValueError as error:
            said = f"={value!r}" if shown(name, value) == value else ""
            raise SettingRefused(f"{PREFIX}{name}{said} is not allowed: {error}") from error


def _payments_token(read: _Reader, payments: Gateway) -> str | None:
    """The token or key for requests to the payment provider. Raises SettingRefused."""
    token, key = read("PAYMENTS_TOKEN", "", values.bearer), read("STRIPE_KEY", "", values.stripe_key)
    if isinstance(payments, Stripe) and not key:
        raise SettingRefused("EXPEDITER_PAYMENTS=stripe needs EXPEDITER_STRIPE_KEY: a secret key of your account.")
    return (key if isinstance(payments, Stripe) else token) or None


def _orders(read: _Reader) -> ports.OrderSettings:
    return ports.OrderSettings(
        hold_seconds=read("HOLD_SECONDS", "30", values.whole(0, 99_999_999)),
        default_price=read("DEFAULT_PRICE", "1000", values.whole(0, LARGEST_TOTAL)),
        currency=read("CURRENCY", "USD", values.currency),
        notify=read("NOTIFY", "", values.addresses),
        payment_wait_seconds=read("PAYMENT_WAIT_SECONDS", "900", values.whole(1, 30 * 24 * 3600)),
    )


def _event_secrets(read: _Reader) -> dict[str, tuple[str, ...]]:
    """What signs the events of each provider."""
    given = {"stripe": "STRIPE_WEBHOOK_SECRET", "payments": "PAYMENTS_WEBHOOK_SECRET"}
    return {provider: read(name, "", values.words) for provider, name in given.items()}


def _oidc(read: _Reader) -> Oidc | None:
    """Raises SettingRefused."""
    issuer, audience = read("OIDC_ISSUER", "", values.issuer), read("OIDC_AUDIENCE", "", values.words)
    claim, client_id = read("OIDC_OPERATORS_CLAIM", "groups", str), read("OIDC_CLIENT_ID", "", str)
    if issuer and not audience:
        raise SettingRefused(
            "EXPEDITER_OIDC_AUDIENCE is missing. Set it to what the issuer's tokens for this server have as their aud, "
            "or as their client_id; else tokens for any other service would be taken too."
        )
    if audience and not issuer:
        raise SettingRefused(
            "EXPEDITER_OIDC_AUDIENCE is set, and EXPEDITER_OIDC_ISSUER is not, so no token would be taken. Set both, "
            "or neither."
        )
    return Oidc(issuer, audience, claim or "groups", client_id or audience[0]) if issuer else None


def _traces(environment: Mapping[str, str]) -> bool:
    """Whether OpenTelemetry's settings name a collector for traces. Raises SettingRefused."""

    def said(name: str) -> str:
        return environment.get(f"OTEL_{name}", "").strip()

    endpoint = said("EXPORTER_OTLP_TRACES_ENDPOINT") or said("EXPORTER_OTLP_ENDPOINT")
    if not endpoint or said("SDK_DISABLED").lower() == "true" or said("TRACES_EXPORTER") not in ("", "otlp"):
        return False
    protocol = said("EXPORTER_OTLP_TRACES_PROTOCOL") or said("EXPORTER_OTLP_PROTOCOL")
    if protocol not in ("", "http/protobuf"):
        raise SettingRefused(f"OTEL_EXPORTER_OTLP_PROTOCOL={protocol!r} is not allowed: give http/protobuf")
    return True
