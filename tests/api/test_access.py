"""Who a token's caller is."""

import pytest

from expediter.api.access import TokenClaims, caller_of, names_in, verified_email
from expediter.asl.protocol import Json


@pytest.mark.parametrize(("name", "shown"), [("Ada", "Ada (u-1)"), ("", "u-1"), ("u-1", "u-1")])
def test_an_operator_goes_by_the_subject_too_because_people_choose_their_names(name: str, shown: str) -> None:
    assert caller_of(TokenClaims("u-1", groups=("operators",), name=name)).name == shown


def test_a_claim_that_is_a_text_names_one_group_whatever_is_in_it() -> None:
    assert names_in("not operators") == ("not operators",)
    assert names_in("cooks,operators") == ("cooks,operators",)
    assert names_in(["not operators", "cooks", 1, None]) == ("not operators", "cooks")
    assert names_in(None) == names_in({"operators": True}) == ()


@pytest.mark.parametrize("verified", [True, "true"])
def test_an_address_counts_when_the_issuer_has_verified_it(verified: Json) -> None:
    assert verified_email({"email": "ann@example.com", "email_verified": verified}) == "ann@example.com"


@pytest.mark.parametrize("verified", [False, "false", None, 1, "yes", [True]])
def test_an_address_that_the_issuer_has_not_verified_is_none(verified: Json) -> None:
    assert verified_email({"email": "ann@example.com", "email_verified": verified}) == ""
    assert verified_email({"email": "ann@example.com"}) == verified_email({"email_verified": True}) == ""
    assert verified_email({"email": ["ann@example.com"], "email_verified": True}) == ""


def test_a_customer_has_the_address_that_a_mail_server_may_take() -> None:
    assert caller_of(TokenClaims("ann", email="ann@example.com")).email == "ann@example.com"
    assert caller_of(TokenClaims("ann", email="a@b-.com")).email == ""
