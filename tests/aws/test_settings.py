"""The settings of a function are checked before it does anything."""

import pytest

from expediter.aws.settings import SettingRefused, from_environment


def test_a_currency_that_left_the_list_is_refused_with_the_list_s_date() -> None:
    with pytest.raises(SettingRefused, match=r"EXPEDITER_CURRENCY=BGN is not on ISO 4217's list of 2026-01-01"):
        from_environment({"EXPEDITER_CURRENCY": "BGN"})


def test_a_setting_that_is_no_number_is_refused() -> None:
    with pytest.raises(SettingRefused, match="EXPEDITER_HOLD_SECONDS"):
        from_environment({"EXPEDITER_HOLD_SECONDS": "soon"})
