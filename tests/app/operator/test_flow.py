"""The flow: rates, quantiles, reasons."""

from hypothesis import given
from hypothesis import strategies as st

from expediter.app.operator.flow import MINUTE, OTHER, REASONS, Minute, bucket, count_reason, quantile, reasons, series


@given(st.lists(st.integers(0, 10_000_000), min_size=1), st.floats(0.01, 1))
def test_a_quantile_is_off_by_less_than_a_tenth(durations: list[int], share: float) -> None:
    buckets: dict[int, int] = {}
    for duration in durations:
        buckets[bucket(duration)] = buckets.get(bucket(duration), 0) + 1
    found = quantile(buckets, share)
    assert found is not None
    ranked = sorted(durations)
    exact = ranked[min(len(ranked) - 1, max(0, -(-round(share * len(ranked) * 1e6) // 10**6) - 1))]
    assert found >= exact * 0.999 - 1
    assert found <= (ranked[-1] + 1) * 1.1


def test_nothing_counted_has_no_quantile() -> None:
    assert quantile({}, 0.5) is None


def test_a_series_has_a_point_for_every_step_quiet_ones_included() -> None:
    minutes = [Minute(0, accepted=120, ended={"SUCCESS": 60, "FAILED": 30}), Minute(2 * MINUTE, queue=7)]
    points = series(minutes, 0, 4 * MINUTE, 2 * MINUTE)
    assert [(point.at, point.accepted, point.succeeded, point.unsuccessful) for point in points] == [
        (0, 1.0, 0.5, 0.25),
        (2 * MINUTE, 0.0, 0.0, 0.0),
    ]
    assert [point.queue for point in points] == [0, 7]
    assert points[0].accept_p50 is None


def test_a_minute_counts_a_limited_number_of_reasons_and_the_rest_together() -> None:
    minute = Minute(0)
    for number in range(REASONS + 5):
        count_reason(minute, f"reason {number}")
    count_reason(minute, "reason 0")
    assert reasons([minute])[0] == (OTHER, 5)
    assert dict(reasons([minute]))["reason 0"] == 2
