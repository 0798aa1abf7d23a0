"""Every quarter of an hour: sends what the streams have not sent."""

from expediter.asl.protocol import Json
from expediter.aws.sending.sweep import sweep


def handler(_: Json, __: object) -> Json:
    """Raises SweepFailed."""
    return sweep()
