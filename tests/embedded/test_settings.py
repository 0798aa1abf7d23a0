"""EXPEDITER_* as an operator writes them: what is taken, and what is refused with what is allowed."""

import json
from pathlib import Path

import pytest

from expediter.app.gateways import Remote, Simulated
from expediter.app.tasks.order import TASKS
from expediter.embedded.settings import ServerSettings, SettingRefused, from_environment, workflow


def read(**given: str) -> ServerSettings:
    return from_environment({f"EXPEDITER_{name}": value for name, value in given.items()})


def test_nothing_has_to_be_set() -> None:
    settings = read()

    assert (settings.data, settings.host, settings.port) == (Path("data"), "127.0.0.1", 8080)
    assert (settings.payments, settings.restaurant) == (Simulated(), Simulated())
    assert (settings.smtp_url, settings.token, settings.workflow, settings.restaurant_secret) == (None,) * 4
    assert settings.keep_days is None
    orders = settings.orders
    assert (orders.hold_seconds, orders.default_price, orders.currency, orders.notify) == (30, 1000, "USD", ())


def test_everything_can_be_set() -> None:
    settings = read(
        DATA="/tmp/x",
        HOST="0.0.0.0",
        PORT="0",
        TOKEN="long and random text",
        HOLD_SECONDS="0",
        PAYMENTS="http://bank:80/pay/",
        RESTAURANT="simulated:decline=0.25",
        PAYMENTS_TOKEN="sk_test_1",
        RESTAURANT_SECRET="secret",
        DEFAULT_PRICE="0",
        CURRENCY="EUR",
        SMTP_URL="smtps://me:pass@mail:465?from=shop@example.com",
        NOTIFY=" a@example.com, b@example.com ,",
        WORKFLOW="other.asl.json",
        KEEP_DAYS="90",
        TRUSTED_PROXIES="10.0.0.1, fd00::/8",
        LINK_DAYS="7",
    )

    assert (settings.payments, settings.restaurant) == (Remote("http://bank:80/pay"), Simulated(0.25))
    assert settings.orders.notify == ("a@example.com", "b@example.com")
    assert settings.payments_token == "sk_test_1"
    assert (settings.orders.hold_seconds, settings.orders.default_price, settings.port) == (0, 0, 0)
    assert (settings.workflow, settings.keep_days, settings.link_days) == (Path("other.asl.json"), 90, 7)
    assert [str(network) for network in settings.trusted_proxies] == ["10.0.0.1/32", "fd00::/8"]


WRONG = [
    ("OIDC_AUDIENCE", "shop", "EXPEDITER_OIDC_ISSUER is not"),
    ("ENV", "prod", "give production"),
    ("PORT", "65536", "whole number from 0 to 65535"),
    ("PORT", "http", "whole number"),
    ("PORT", "", "whole number"),
    ("HOLD_SECONDS", "-1", "whole number from 0"),
    ("KEEP_DAYS", "0", "whole number from 1"),
    ("KEEP_DAYS", "never", "whole number from 1"),
    ("HOLD_SECONDS", "1.5", "whole number from 0"),
    ("HOLD_SECONDS", "٣", "whole number from 0"),
    ("HOLD_SECONDS", "100000000", "to 99999999"),
    ("DEFAULT_PRICE", "2147483648", "to 2147483647"),
    ("CURRENCY", "usd", "ISO 4217"),
    ("CURRENCY", "XXX", "ISO 4217"),
    ("CURRENCY", "BGN", "list of 2026-01-01"),
    ("PAYMENTS", "paypal", "simulated:decline=0.2"),
    ("PAYMENTS", "simulated:decline=2", "from 0 to 1"),
    ("PAYMENTS", "ftp://bank", "http"),
    ("PAYMENTS_TOKEN", "two words", "without spaces"),
    ("PAYMENTS", "stripe", "needs EXPEDITER_STRIPE_KEY"),
    ("PAYMENTS", "Stripe", "give stripe"),
    ("RESTAURANT", "stripe", "give simulated"),
    ("STRIPE_KEY", "pk_test_1", "secret key"),
    ("STRIPE_KEY", "sk_test 1", "without spaces"),
    ("STRIPE_URL", "http://stripe.example", "https://host"),
    ("STRIPE_URL", "simulated", "https://host"),
    ("PAYMENTS_TOKEN", "schlüssel", "without spaces"),
    ("RESTAURANT", "simulated:", "simulated:decline"),
    ("RESTAURANT", "http://", "http"),
    ("NOTIFY", "ops", "e-mail addresses"),
    ("NOTIFY", "a@example.com b@example.com", "commas"),
    ("SMTP_URL", "mail.example.com", "smtp"),
    ("SMTP_URL", "smtp://", "smtp"),
    ("SMTP_URL", "smtp://mail:99999", "smtp"),
    ("SMTP_URL", "smtp://[::1", "smtp"),
    ("SMTP_URL", "smtp://mail?from=nobody", "address"),
]


@pytest.mark.parametrize(("name", "value", "allowed"), WRONG)
def test_a_wrong_value_is_refused_by_its_name_with_what_is_allowed(name: str, value: str, allowed: str) -> None:
    with pytest.raises(SettingRefused, match=f"EXPEDITER_{name}") as refused:
        read(**{name: value})
    assert allowed in str(refused.value)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.5", "example.com", ""])
def test_beyond_loopback_a_token_is_demanded(host: str) -> None:
    with pytest.raises(SettingRefused, match="EXPEDITER_TOKEN"):
        read(HOST=host)
    with pytest.raises(SettingRefused, match="EXPEDITER_TOKEN"):
        read(HOST=host, TOKEN="  ")
    assert read(HOST=host, TOKEN="a-long-random-text").host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_on_loopback_no_token_is_needed(host: str) -> None:
    assert read(HOST=host).token is None


def test_the_workflow_that_comes_along_names_our_tasks() -> None:
    tasks = [state for state in workflow(None)["States"].values() if state["Type"] == "Task"]

    assert {state.get("Parameters", {}).get("FunctionName", state["Resource"]) for state in tasks} <= set(TASKS)


def test_another_workflow_is_read_from_its_file_with_placeholders_filled_in(tmp_path: Path) -> None:
    file = tmp_path / "other.asl.json"
    file.write_text(json.dumps({"States": {"A": {"Resource": "${CloseHold}", "Comment": ["${CloseHold}!"]}}}))

    assert workflow(file) == {"States": {"A": {"Resource": "CloseHold", "Comment": ["CloseHold!"]}}}


@pytest.mark.parametrize("content", [None, b"", b"{", b"\xff", b'{"Resource": "${Nobody}"}'])
def test_a_workflow_that_cannot_be_read_is_refused_by_its_name(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "other.asl.json"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(SettingRefused, match=r"other\.asl\.json"):
        workflow(file)


def test_a_password_is_not_shown_when_its_address_is_refused() -> None:
    with pytest.raises(SettingRefused) as refused:
        read(SMTP_URL="smtp://me:hunter2@mail:99999")
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("file", ["/dev/zero", "/dev/null"])
def test_a_workflow_that_never_ends_or_is_empty_is_refused(file: str) -> None:
    with pytest.raises(SettingRefused, match="cannot be read as JSON"):
        workflow(Path(file))


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("PAYMENT", "Did you mean EXPEDITER_PAYMENTS?"),
        ("CURENCY", "Did you mean EXPEDITER_CURRENCY?"),
        ("token", "Did you mean EXPEDITER_TOKEN?"),
        ("QQQQQQQQQQQQQQQQQQQQ", "docs/reference/settings.md lists all of them"),
    ],
)
def test_a_misspelt_setting_stops_the_start_and_the_nearest_name_is_suggested(name: str, meant: str) -> None:
    with pytest.raises(SettingRefused, match=f"EXPEDITER_{name} is not a setting of Expediter.") as refused:
        read(**{name: "http://bank"})

    assert meant in str(refused.value)
    assert "bank" not in str(refused.value)


REAL = {
    "ENV": "production",
    "PAYMENTS": "http://bank",
    "PAYMENTS_TOKEN": "sk_test_1",
    "RESTAURANT": "http://kitchen",
    "RESTAURANT_SECRET": "secret",
    "SMTP_URL": "smtp://mail:25",
    "TOKEN": "long and random text",
}


def test_a_shop_with_real_gateways_and_all_its_credentials_is_ready_for_production() -> None:
    assert read(**REAL).simulated == ()


@pytest.mark.parametrize("name", sorted(REAL.keys() - {"ENV"}))
def test_production_refuses_what_is_simulated_and_a_missing_credential(name: str) -> None:
    with pytest.raises(SettingRefused, match=f"ENV=production: .* EXPEDITER_{name}"):
        read(**{**REAL, name: "simulated" if name in ("PAYMENTS", "RESTAURANT") else ""})


def test_what_is_simulated_is_named() -> None:
    assert read().simulated == ("payments", "restaurant", "mail")
    assert read(PAYMENTS="stripe", STRIPE_KEY="sk_test_1").simulated == ("restaurant", "mail")
