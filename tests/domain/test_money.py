"""Money is whole numbers of minor units."""

from expediter.domain.money import LARGEST_TOTAL


def test_the_largest_total_is_what_a_graphql_int_holds() -> None:
    assert LARGEST_TOTAL == 2_147_483_647
