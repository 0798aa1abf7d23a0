"""Runs every 15 minutes: sends what the streams did not send."""

from expediter.asl.protocol import Json
from expediter.aws.sending.sweep import sweep


def handler(_: Json, __: object) -> Json:
    """Raises SweepFailed."""
    return sweep()
