"""The signature of an event: Stripe's own, which a provider behind a URL makes too."""

import pytest

from expediter.app.payments.signature import TOLERANCE, SignatureRefused, require_signed, signature

NOW = 1_754_049_600_123
SECONDS = NOW // 1000
BODY = b'{"id": "evt_1"}'


def header(secret: str = "whsec_1", at: int = SECONDS, body: bytes = BODY) -> str:
    return f"t={at},v1={signature(body, secret, at)}"


def test_the_signature_is_the_one_that_stripe_documents() -> None:
    """Computed with openssl: printf '1754049600.{"id": "evt_1"}' | openssl dgst -sha256 -hmac whsec_1"""
    assert signature(BODY, "whsec_1", SECONDS) == "49009b735a0ab9b948dbdbd86d6f550d25296e5141c1478db8afe2e0520feabf"


@pytest.mark.parametrize(
    "given",
    [
        header(),
        header("whsec_2"),
        header(at=SECONDS - TOLERANCE),
        header(at=SECONDS + TOLERANCE),
        f"{header()},v0=abc",
        f"t={SECONDS},v1=wrong,v1={signature(BODY, 'whsec_1', SECONDS)}",
    ],
)
def test_any_of_the_secrets_may_have_signed_it_up_to_five_minutes_ago(given: str) -> None:
    require_signed(given, BODY, ("whsec_1", "whsec_2"), NOW)


@pytest.mark.parametrize(
    "given",
    [
        "",
        "nonsense",
        header("another"),
        header(body=b'{"id": "evt_2"}'),
        header(at=SECONDS - TOLERANCE - 1),
        header(at=SECONDS + TOLERANCE + 1),
        header().replace("v1=", "v0="),
        header().partition(",")[2],
        f"t={SECONDS},{header()}",
        f"t=-{SECONDS},v1={signature(BODY, 'whsec_1', SECONDS)}",
        f"t={SECONDS},v1=ü",
    ],
)
def test_anything_else_is_refused(given: str) -> None:
    with pytest.raises(SignatureRefused):
        require_signed(given, BODY, ("whsec_1", "whsec_2"), NOW)


def test_without_a_secret_nothing_is_taken() -> None:
    with pytest.raises(SignatureRefused):
        require_signed(header(), BODY, (), NOW)
