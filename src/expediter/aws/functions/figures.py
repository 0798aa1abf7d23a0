"""Runs every five minutes: counts the orders that need an operator."""

from expediter.asl.protocol import Json
from expediter.aws import figures


def handler(_: Json, __: object) -> Json:
    return figures.count()
