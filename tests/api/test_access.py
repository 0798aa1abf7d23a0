"""Who a token's caller is."""

import pytest

from expediter.api.access import TokenClaims, caller_of, names_in


@pytest.mark.parametrize(("name", "shown"), [("Ada", "Ada (u-1)"), ("", "u-1"), ("u-1", "u-1")])
def test_an_operator_goes_by_the_subject_too_because_people_choose_their_names(name: str, shown: str) -> None:
    assert caller_of(TokenClaims("u-1", groups=("operators",), name=name)).name == shown


def test_a_claim_that_is_a_text_names_one_group_whatever_is_in_it() -> None:
    assert names_in("not operators") == ("not operators",)
    assert names_in("cooks,operators") == ("cooks,operators",)
    assert names_in(["not operators", "cooks", 1, None]) == ("not operators", "cooks")
    assert names_in(None) == names_in({"operators": True}) == ()
