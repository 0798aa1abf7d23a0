"""Who a token's caller is."""

import pytest

from expediter.api.access import Claims, caller_of


@pytest.mark.parametrize(("name", "shown"), [("Ada", "Ada (u-1)"), ("", "u-1"), ("u-1", "u-1")])
def test_an_operator_goes_by_the_subject_too_because_people_choose_their_names(name: str, shown: str) -> None:
    assert caller_of(Claims("u-1", groups=("operators",), name=name)).name == shown
